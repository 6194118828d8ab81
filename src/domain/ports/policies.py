"""Decisions asked on every request: synchronous, in memory."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from domain.availability import KeyState, ProviderRest, RateLimitWindow
from domain.errors import UpstreamFailure
from domain.quotas import QuotaChanges, QuotaCount, QuotaFinding, QuotaRule, QuotaStanding
from domain.usage import TokenUsage

CallTokens = Callable[[], tuple[int, int]]
"""An estimate of what a call may use: tokens of its prompt, and of what may come. Asked only where tokens count."""


class QuotaHold(Protocol):
    """What one call has taken of its quotas. Ends once: from then on both do nothing."""

    def settle(self, usage: TokenUsage | None, cost_nano_usd: int | None) -> None:
        """The call was sent and has ended: it stays counted, with what it really used."""
        ...

    def release(self) -> None:
        """Nothing was sent."""
        ...


class QuotaSpent(Exception):
    """A key's quotas have no room for a call. `state` is what the key is like, for this model, until they have."""

    def __init__(self, state: KeyState) -> None:
        super().__init__(state.reason)
        self.state = state


class AvailabilityPolicy(Protocol):
    """Which provider keys, models and providers may be asked now, learned from what they answered.

    A deployment without a key is asked about under the key id `keyless:{provider_id}`.
    """

    def key_state(self, key_id: str, model: str = "") -> KeyState:
        """The key's state at this moment, with `model` the worse of the key's and that model's with it. A spent quota
        is a state too.

        A wait that has passed reads as available; an invalid key stays so until it was asked again (`take_probe`).
        """
        ...

    @property
    def untroubled(self) -> bool:
        """Whether nothing is known against any key or model, and no key has quotas: as long as all is well, each
        key of each provider may be asked, and nobody need ask about one.
        """
        ...

    def resting_models(self, key_id: str) -> Sequence[KeyState]:
        """The models that are not available with this key though the key may be, in the order they were refused."""
        ...

    def take_probe(self, key_id: str) -> bool:
        """Whether this caller may ask with an invalid key, once: a yes takes the one place there is."""
        ...

    def model_present(self, owner_id: str, model: str) -> bool:
        """False for a while after a provider said it has no such model, or that a key may not use it.

        `owner_id` is the provider's, or a key's.
        """
        ...

    def deployment_state(self, provider_id: str, model: str) -> KeyState:
        """What is known of a provider, or of one model there, whatever the key: a limit that every key meets."""
        ...

    def healthy(self, provider_id: str, model: str = "", *, despite_checks: bool = False) -> bool:
        """False while too many calls in a row have failed, of all or of this model; one probe at a time passes after
        the wait. False too while it is set aside, unless `despite_checks`."""
        ...

    def set_aside(self, provider_id: str, seconds: float) -> None:
        """Checks of the provider fail: it is not healthy for so long, or until it answers a call or a check."""
        ...

    def take_back(self, provider_id: str) -> None:
        """A check was good."""
        ...

    def is_aside(self, provider_id: str) -> bool:
        """Whether it is set aside now; the breaker is apart."""
        ...

    @property
    def has_aside(self) -> bool:
        """Whether any provider was set aside of late."""
        ...

    def unhealthy_until(self, provider_id: str, model: str = "") -> datetime | None:
        """When the next probe may pass, None while healthy."""
        ...

    def unhealthy_reason(self, provider_id: str) -> str:
        """Why it is not healthy, in words."""
        ...

    def key_unhealthy_until(self, key_id: str) -> datetime | None:
        """When calls with the key, that failed too often in a row, may be tried again; None while it is healthy.

        It means something where its provider has other keys.
        """
        ...

    def key_may_try(self, key_id: str) -> bool:
        """Asked just before a call with one of several keys: once its time has come, a yes is the one probe."""
        ...

    def plan_quotas(self, plans: Mapping[str, Sequence[tuple[str, QuotaRule]]]) -> None:
        """The quotas of each key from now on, each with whom it counts for: the key, or `provider:` and its id."""
        ...

    def take_quota(self, key_id: str, model: str, tokens: CallTokens) -> QuotaHold | None:
        """Count a call that is about to be made; None for a key without quotas. Raises `QuotaSpent`."""
        ...

    def quota_left(self, key_id: str, model: str) -> float | None:
        """The share left of the quota that a call meets first, None where it meets none."""
        ...

    def quotas(self, key_id: str, owner_id: str) -> Sequence[QuotaStanding]:
        """What is left of the quotas of a key that count for `owner_id`."""
        ...

    def record_success(self, provider_id: str, key_id: str, limits: Sequence[RateLimitWindow], model: str = "") -> None:
        """A call was answered; a window with nothing remaining makes what it counts wait for its reset."""
        ...

    def record_failure(self, provider_id: str, key_id: str, model: str, failure: UpstreamFailure) -> None:
        """A call failed; the effect on availability is the contract's table."""
        ...

    def retry_key(self, key_id: str) -> None:
        """Someone asked to try this key again: it is available."""
        ...

    def key_accepted(self, key_id: str, siblings: Sequence[str]) -> None:
        """A test of the provider with this key was good: it is available, and its invalid siblings are asked again."""
        ...

    def retry_provider(self, provider_id: str, key_ids: Sequence[str]) -> None:
        """The same for a provider with all its keys, its absent models and its health."""
        ...

    def forget_key(self, key_id: str) -> None:
        """The key is gone or its secret changed."""
        ...

    def restore(self, states: Mapping[str, KeyState]) -> None:
        """Take up the states stored before a restart."""
        ...

    def follow(self, states: Mapping[str, KeyState], rests: Sequence[ProviderRest]) -> None:
        """All that the store has now, of every process. It takes the place of what is known here, but for what changed
        here since it was last drained."""
        ...

    def drain_rests(self) -> Sequence[ProviderRest]:
        """Providers and models that began or ceased to rest since the last call."""
        ...

    def drain_changes(self) -> Sequence[KeyState]:
        """States changed since the last call, newest only, for the store to keep."""
        ...

    @property
    def has_quotas(self) -> bool:
        """Whether any key is under a quota."""
        ...

    def restore_quotas(self, counts: Sequence[QuotaCount], findings: Sequence[QuotaFinding]) -> None:
        """Take up what the store has: all that every process used of the windows that have not ended."""
        ...

    def drain_quotas(self) -> QuotaChanges:
        """What changed since the last call: of counts, how much more was used."""
        ...
