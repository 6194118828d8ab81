"""Whether a provider key may be asked now, as facts: the policies decide, these are what they keep."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

import msgspec


class KeyCondition(StrEnum):
    """The condition of one provider key."""

    AVAILABLE = "available"
    RATE_LIMITED = "rate_limited"
    EXHAUSTED = "exhausted"
    INVALID = "invalid_key"


class ProviderStatus(StrEnum):
    """What `GET /admin/providers` shows, worst news first where several hold."""

    AVAILABLE = "available"
    RATE_LIMITED = "rate_limited"
    EXHAUSTED = "exhausted"
    INVALID_KEY = "invalid_key"
    UNHEALTHY = "unhealthy"
    NO_KEY = "no_key"
    DISABLED = "disabled"


class KeyState(msgspec.Struct, frozen=True):
    """What is known of one provider key, or of one with one model. Survives a restart.

    `until` of None with a condition other than available means: until someone retries it or changes it. An invalid
    key is asked again by one request after `until`. `reason` is the provider's message, cut and masked; `strikes`
    counts rate limits, or refusals of an invalid key, in a row. `model` of `""` is the key itself. `replaces` belongs
    to a change and is not kept: when that had begun which was known until then, None where nothing was.
    """

    key_id: str
    condition: KeyCondition = KeyCondition.AVAILABLE
    until: datetime | None = None
    since: datetime | None = None
    reason: str = ""
    strikes: int = 0
    model: str = ""
    replaces: datetime | None = None

    @property
    def is_plain(self) -> bool:
        """Nothing is held against it, nor remembered."""
        return self.condition is KeyCondition.AVAILABLE and self.strikes == 0

    def waits(self, now: datetime) -> bool:
        """Whether it may not be asked at that moment."""
        return self.condition is not KeyCondition.AVAILABLE and (self.until is None or self.until > now)

    @property
    def id(self) -> str:
        """What tells it from every other state: no id of a key has a space in it."""
        return f"{self.key_id} {self.model}" if self.model else self.key_id


_SEVERITY = {
    KeyCondition.AVAILABLE: 0,
    KeyCondition.RATE_LIMITED: 1,
    KeyCondition.EXHAUSTED: 2,
    KeyCondition.INVALID: 3,
}


def severity(condition: KeyCondition) -> int:
    """How grave it is: a milder one never takes the place of a graver that still holds."""
    return _SEVERITY[condition]


def change_after(earlier: KeyState | None, change: KeyState) -> KeyState:
    """Of two changes in a row of which the store has neither: the newer, which replaces what the first has replaced."""
    if earlier is None or change.replaces not in {None, earlier.since}:
        return change
    return msgspec.structs.replace(change, replaces=earlier.replaces)


def state_to_keep(stored: KeyState | None, change: KeyState, now: datetime) -> KeyState:
    """What the store has after one process's change. What another process has learned since this one last looked is
    not undone by it: it stays where it is graver or lasts longer, and a success that did not know of it ends it not.
    """
    if stored is None or stored.since is None:
        return change
    if change.replaces is not None and stored.since <= change.replaces:
        return change  # it was known
    if change.is_plain:
        return stored
    if not stored.waits(now) or severity(stored.condition) < severity(change.condition):
        return change
    if severity(stored.condition) > severity(change.condition) or stored.until is None:
        return stored
    return stored if change.until is not None and change.until < stored.until else change


RestCause = Literal["breaker", "checks", "absent"]
"""Too many calls in a row failed; its checks did; the provider, or the provider to this key, said that it has no such
model."""


class ProviderRest(msgspec.Struct, frozen=True):
    """Why a provider or one of its models is not asked for a while, for every process to know.

    `owner_id` is a provider's, or a key's where the model is absent to that alone; `model` of `""` is all of them.
    `until` of None: it is over. `count` is how often in a row it was so, and `reason` the provider's words, if any.
    """

    cause: RestCause
    owner_id: str
    model: str
    until: datetime | None
    since: datetime
    count: int = 1
    reason: str = ""

    @property
    def id(self) -> tuple[str, str, str]:
        return self.cause, self.owner_id, self.model


def provider_state_id(provider_id: str) -> str:
    """The id under which it is kept what holds for every key of a provider."""
    return f"@{provider_id}"


class RateLimitWindow(msgspec.Struct, frozen=True):
    """One budget a provider reports in its headers. `reset_seconds` counts from the answer.

    `by_model` is whether it counts the calls of the model that was asked, not those of the key.
    """

    dimension: str  # `requests` or `tokens`
    window: str  # `minute`, `day`, … or empty where the provider does not say
    limit: int | None = None
    remaining: int | None = None
    reset_seconds: float | None = None
    by_model: bool = False
