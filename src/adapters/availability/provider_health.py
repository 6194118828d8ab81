"""Whether providers, and models of them, are asked at all: breakers by their calls, and what checks set aside."""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta

from adapters.availability.breaker import Breaker
from domain.availability import ProviderRest, RestCause
from domain.errors import UpstreamFailure
from domain.failover import REACTIONS, FailureKind, FailureScope
from domain.ports.runtime import Clock

MAX_PROVIDERS = 4_096
MAX_REASON_LENGTH = 256

_OF_A_MODEL = frozenset({FailureScope.MODEL, FailureScope.DEPLOYMENT})
_RestId = tuple[str, str, str]


class ProviderHealth:
    """In memory; `drain` tells what changed, `follow` takes up what other processes found.

    `breakers` and `aside` are for the look whether there is anything at all, which is all that most calls need.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.breakers: OrderedDict[str, Breaker] = OrderedDict()
        self.aside: dict[str, float] = {}  # provider -> until when its checks set it aside, monotonic
        self._turned_away: dict[str, str] = {}  # providers that serve nobody at this address, in their words
        self._since: dict[_RestId, datetime] = {}  # when what rests began to
        self._changed: OrderedDict[_RestId, ProviderRest] = OrderedDict()

    def healthy(self, provider_id: str, model: str, *, despite_checks: bool) -> bool:
        """A yes takes the places of the probes that it is."""
        if self.aside and not despite_checks and self.is_aside(provider_id):
            return False
        if not self.breakers:
            return True
        now = self._clock.monotonic()
        breakers = self._breakers_of(provider_id, model)
        if any((breaker.seconds_to_probe(now) or 0.0) > 0 for breaker in breakers):
            return False
        probes = [breaker.allow(now) for breaker in breakers]  # each yes takes a place
        return all(probes)

    def set_aside(self, provider_id: str, seconds: float) -> None:
        self.aside[provider_id] = self._clock.monotonic() + seconds
        self._began("checks", provider_id, "", seconds)

    @property
    def has_aside(self) -> bool:
        """Whether any provider is set aside now: whose time has passed is taken back, whether or not it is asked."""
        if self.aside:
            for provider_id in [each for each in self.aside if not self.is_aside(each)]:
                self.take_back(provider_id)
        return bool(self.aside)

    def take_back(self, provider_id: str) -> None:
        if self.aside.pop(provider_id, None) is not None:
            self._ended("checks", provider_id, "")

    def is_aside(self, provider_id: str) -> bool:
        return self.aside.get(provider_id, 0.0) > self._clock.monotonic()

    def unhealthy_until(self, provider_id: str, model: str) -> datetime | None:
        if not self.breakers and not self.aside:
            return None
        now = self._clock.monotonic()
        aside = self.aside.get(provider_id, 0.0) - now
        waits = [
            aside if aside > 0 else None,
            *(breaker.seconds_to_probe(now) for breaker in self._breakers_of(provider_id, model)),
        ]
        seconds = max((wait for wait in waits if wait is not None), default=None)
        return None if seconds is None else self._clock.now() + timedelta(seconds=seconds)

    def reason(self, provider_id: str) -> str:
        if reason := self._turned_away.get(provider_id, ""):
            return reason
        return "Its last checks failed." if self.is_aside(provider_id) else "Too many calls in a row failed."

    def succeeded(self, provider_id: str, model: str) -> None:
        self.take_back(provider_id)
        self._close(provider_id)
        self._close(_of_model(provider_id, model))
        self._turned_away.pop(provider_id, None)

    def failed(self, provider_id: str, model: str, failure: UpstreamFailure) -> None:
        now, counted = self._clock.monotonic(), ""
        if failure.kind is FailureKind.ADDRESS_REFUSED:
            self._turned_away[provider_id] = failure.message[:MAX_REASON_LENGTH]
        if REACTIONS[failure.kind].counts_for_breaker:
            counted = _of_model(provider_id, model) if failure.scope in _OF_A_MODEL else provider_id
            breaker = self.breakers.get(counted)
            if breaker is None:
                breaker = self.breakers[counted] = Breaker()
                if len(self.breakers) > MAX_PROVIDERS:
                    dropped, _ = self.breakers.popitem(last=False)
                    self._since.pop(("breaker", *_parts(dropped)), None)
            before = breaker.openings
            if failure.kind is FailureKind.ADDRESS_REFUSED:
                breaker.turned_away(now)
            else:
                breaker.failed(now)
            if breaker.openings != before and breaker.opens_until is not None:
                reason = self._turned_away.get(provider_id, "")
                self._began("breaker", *_parts(counted), breaker.opens_until - now, breaker.openings, reason)
        for owner in (provider_id, _of_model(provider_id, model)) if self.breakers else ():
            if owner != counted and (other := self.breakers.get(owner)) is not None:
                other.inconclusive()

    def forget(self, provider_id: str) -> None:
        """Whatever rests there does so no more."""
        for owner in [each for each in self.breakers if _parts(each)[0] == provider_id]:
            self._close(owner)
        self._turned_away.pop(provider_id, None)
        self.take_back(provider_id)

    def follow(self, rests: Sequence[ProviderRest]) -> None:
        """All that the store has; what changed here since it was last drained stays as it is."""
        known = {rest.id: rest for rest in rests}
        for id_ in [id_ for id_ in self._since if id_ not in known and id_ not in self._changed]:
            self._drop(id_)
        for id_, rest in known.items():
            if id_ not in self._changed and rest.until is not None and self._since.get(id_) != rest.since:
                self._take_up(rest, (rest.until - self._clock.now()).total_seconds())

    def drain(self) -> Sequence[ProviderRest]:
        changed = tuple(self._changed.values())
        self._changed.clear()
        return changed

    def _take_up(self, rest: ProviderRest, left: float) -> None:
        ends_at = self._clock.monotonic() + left
        if rest.cause == "checks":
            self.aside[rest.owner_id] = ends_at
        else:
            owner = _of_model(rest.owner_id, rest.model) if rest.model else rest.owner_id
            self.breakers.setdefault(owner, Breaker()).opened_elsewhere(ends_at, rest.count)
            if rest.reason:
                self._turned_away[rest.owner_id] = rest.reason
        self._since[rest.id] = rest.since

    def _drop(self, id_: _RestId) -> None:
        cause, provider_id, model = id_
        del self._since[id_]
        if cause == "checks":
            self.aside.pop(provider_id, None)
            return
        self.breakers.pop(_of_model(provider_id, model) if model else provider_id, None)
        if not model:
            self._turned_away.pop(provider_id, None)

    def _close(self, owner: str) -> None:
        breaker = self.breakers.pop(owner, None)
        if breaker is not None and not breaker.closed:
            self._ended("breaker", *_parts(owner))

    def _breakers_of(self, provider_id: str, model: str) -> list[Breaker]:
        owners = (provider_id, _of_model(provider_id, model)) if model else (provider_id,)
        return [breaker for owner in owners if (breaker := self.breakers.get(owner)) is not None]

    def _began(
        self, cause: RestCause, provider_id: str, model: str, seconds: float, count: int = 1, reason: str = ""
    ) -> None:
        now = self._clock.now()
        rest = ProviderRest(cause, provider_id, model, now + timedelta(seconds=seconds), now, count, reason)
        self._since[rest.id] = now
        self._note(rest)

    def _ended(self, cause: RestCause, provider_id: str, model: str) -> None:
        since = self._since.pop((cause, provider_id, model), None) or self._clock.now()
        self._note(ProviderRest(cause, provider_id, model, None, since))

    def _note(self, rest: ProviderRest) -> None:
        self._changed[rest.id] = rest
        if len(self._changed) > MAX_PROVIDERS:
            self._changed.popitem(last=False)


def _of_model(provider_id: str, model: str) -> str:
    return f"{provider_id} {model}"


def _parts(owner: str) -> tuple[str, str]:
    provider_id, _, model = owner.partition(" ")
    return provider_id, model
