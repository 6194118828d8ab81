"""Which calls the quotas of provider keys have room for: taken just before each, set right when it has ended.

What providers say in headers and refusals outranks what was counted here. A quota that the registry takes an account to
have, and that nobody has confirmed, says whom to ask first; once it is used up one call at a time finds out whether it
holds, and what the provider says then is remembered.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Final

from typing_extensions import override

from adapters.availability.quota_counter import TRIAL_SECONDS, QuotaCounter
from domain.availability import KeyCondition, KeyState, RateLimitWindow
from domain.errors import UpstreamFailure
from domain.ports.policies import CallTokens, QuotaHold, QuotaSpent
from domain.ports.runtime import Clock
from domain.quotas import (
    NANO_USD_PER_MILLI_NEURON,
    SHORT,
    QuotaChanges,
    QuotaCount,
    QuotaFinding,
    QuotaRule,
    QuotaStanding,
)
from domain.usage import TokenUsage

Plan = Sequence[tuple[str, QuotaRule]]
"""The rules a key is under, each with whom it counts for: the key, or `provider:` and the provider's id."""

REGISTRY: Final = "registry"
"""The name under which it is remembered that none of the registry's quotas holds for a key."""

MAX_COUNTERS: Final = 20_000
MAX_SEEN: Final = 4_096
_TOKENS: Final = frozenset({"tokens", "input_tokens", "output_tokens"})


class QuotaPlanner:
    """In memory and synchronous. `plan` when the configuration changed; `drain` and `take_up` keep it in the store."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = clock.now().timestamp() - clock.monotonic()
        self._plans: Mapping[str, Plan] = {}
        self._counters: OrderedDict[tuple[str, str], QuotaCounter] = OrderedDict()
        self._by_call: dict[tuple[str, str], tuple[QuotaCounter, ...]] = {}
        self._findings: dict[tuple[str, str], QuotaFinding] = {}
        self._found: list[QuotaFinding] = []
        self._kept: dict[tuple[str, str], dict[int, int]] = {}  # of the store, for counters that are not made yet
        self._seen: OrderedDict[tuple[str, str], tuple[float, tuple[RateLimitWindow, ...]]] = OrderedDict()
        self._forgotten: set[str] = set()

    def plan(self, plans: Mapping[str, Plan]) -> None:
        """These rules from now on, by key. What was used stays used."""
        self._plans = {key_id: plan for key_id, plan in plans.items() if plan}
        self._by_call.clear()

    def take(self, key_id: str, model: str, tokens: CallTokens) -> QuotaHold:
        """Count a call that is about to be made. Raises `QuotaSpent`, and has then counted nothing."""
        counters, now = self._counters_of(key_id, model), self._now()
        prompt, output = tokens() if any(each.rule.dimension in _TOKENS for each in counters) else (0, 0)
        prompt += prompt // 5 + 1  # providers count otherwise
        for counter in counters:
            if not counter.allows(now, _least(counter, prompt)):
                raise QuotaSpent(self._state(counter, key_id, model, now, _least(counter, prompt)))
        taken = []
        for counter in counters:
            if counter.beyond(now, _least(counter, prompt)):
                counter.trial_until = now + TRIAL_SECONDS
            amount = _expected(counter, prompt, output)
            counter.open += 1
            counter.held += amount
            taken.append((counter, counter.add(now, amount), amount))
        return _Hold(self._now, taken)

    def state(self, key_id: str, model: str) -> KeyState | None:
        """What its quotas keep a key from, with `model` that model's too. None: nothing."""
        now = self._now()
        found = [
            self._state(counter, key_id, "" if counter.rule.shared and not counter.rule.models else model, now, 1)
            for counter in self._counters_of(key_id, model)
            if not counter.allows(now, 1)
        ]
        return max(found, key=_ends, default=None)

    def resting_models(self, key_id: str) -> list[KeyState]:
        """The models that their own quotas keep from being asked for."""
        models = {model for held_id, model in self._by_call if held_id == key_id and model}
        states = [self.state(key_id, model) for model in sorted(models)]
        return [state for state in states if state is not None and state.model]

    def share_left(self, key_id: str, model: str) -> float | None:
        """Of the quota of which the least is left; None where none counts a call of this model."""
        now = self._now()
        shares = [
            (counter.left(now) or 0) / counter.amount for counter in self._counters_of(key_id, model) if counter.amount
        ]
        return min(shares, default=None)

    def answered(self, key_id: str, model: str, windows: Sequence[RateLimitWindow]) -> None:
        """A call was served. What its headers say of a window is so, whatever was counted here."""
        if windows:
            self._see(key_id, model, windows)
        if key_id not in self._plans:
            return
        now = self._now()
        for counter in self._counters_of(key_id, model):
            if counter.trial_until and counter.beyond(now, 0):
                self._find(counter, None)  # it was served beyond it
            counter.trial_until = 0.0
            for window in windows:
                if (window.dimension, window.window) == (counter.rule.dimension, counter.rule.window) and window.limit:
                    self._observe(key_id, counter, window, now)

    def refused(self, key_id: str, model: str, failure: UpstreamFailure, until: datetime | None) -> None:
        """A call met a limit of its provider's, which lasts until then."""
        fact, now = failure.limit, self._now()
        for counter in self._counters_of(key_id, model):
            counter.trial_until = 0.0
            if fact is None or not fact.is_of(counter.rule.dimension, counter.rule.window):
                continue
            if fact.amount is not None and counter.source != "admin" and fact.dimension == counter.rule.dimension:
                self._find(counter, fact.amount)
            elif not counter.holds and counter.beyond(now, 1):
                self._find(counter, counter.amount)
            if until is not None and counter.rule.shared:
                counter.full_until = max(counter.full_until, until.timestamp())

    def retry(self, key_id: str) -> None:
        """Somebody says that the provider may be asked: what the registry or answers said is forgotten."""
        for counter in self._counters.values():
            if counter.owner_id == key_id:
                counter.full_until = counter.trial_until = 0.0
                if counter.source != "admin" and not counter.left(self._now()):
                    counter.clear()

    def forget(self, key_id: str) -> None:
        """The key has another secret, or is gone: nothing is used, and nothing known."""
        for pair in [pair for pair in self._counters if pair[0] == key_id]:
            del self._counters[pair]
        for seen in [pair for pair in self._seen if pair[0] == key_id]:
            del self._seen[seen]
        for found in [pair for pair in self._findings if pair[0] == key_id]:
            del self._findings[found]
        for kept in [pair for pair in self._kept if pair[0] == key_id]:
            del self._kept[kept]
        self._by_call.clear()
        self._forgotten.add(key_id)

    def standings(self, key_id: str, owner_id: str) -> list[QuotaStanding]:
        """What is left of each quota that counts for this owner, over its calls with this key."""
        now, found = self._now(), []
        for owner, rule in self._plans.get(key_id, ()):
            if owner != owner_id or self._refuted(key_id, rule):
                continue
            if rule.shared:
                counters = [self._counter(owner, rule, "")]
            else:
                counters = [each for (whose, _), each in self._counters.items() if whose == owner and each.rule == rule]
            found += [each.standing(now) for each in counters or [QuotaCounter(owner, rule, "", now)]]
        if owner_id == key_id:
            found += self._observed(key_id, found, now)
        return found

    def drain(self) -> QuotaChanges:
        """What changed since the last call."""
        counts = tuple(
            QuotaCount(counter.owner_id, counter.name, bucket, ends_at, used)
            for counter in self._counters.values()
            for bucket, ends_at, used in counter.drain()
        )
        found, self._found = tuple(self._found), []
        forgotten, self._forgotten = frozenset(self._forgotten), set()
        return QuotaChanges(counts, found, forgotten)

    def take_up(self, counts: Iterable[QuotaCount], findings: Iterable[QuotaFinding] = ()) -> None:
        """What the store has: all that every process used."""
        self._kept = {}
        for count in counts:
            counter = self._counters.get((count.owner_id, count.name))
            if counter is not None:
                counter.take_up(count.starts_at, count.used)
            else:
                self._kept.setdefault((count.owner_id, count.name), {})[count.starts_at] = count.used
        for finding in findings:
            if self._findings.get((finding.owner_id, finding.name)) != finding:
                self._findings[finding.owner_id, finding.name] = finding
                self._by_call.clear()
                counter = self._counters.get((finding.owner_id, finding.name))
                if counter is not None:
                    _apply(counter, finding)

    def _now(self) -> float:
        return self._clock.monotonic() + self._ahead

    def _counters_of(self, key_id: str, model: str) -> tuple[QuotaCounter, ...]:
        """Those that a call of this model counts in; of no model, those that every call counts in."""
        found = self._by_call.get((key_id, model))
        if found is None:
            rules = [
                (owner, rule)
                for owner, rule in self._plans.get(key_id, ())
                if not self._refuted(key_id, rule) and (_counts(rule, model) if model else _counts_all(rule))
            ]
            found = tuple(self._counter(owner, rule, model) for owner, rule in rules)
            if len(self._by_call) >= MAX_COUNTERS:
                self._by_call.clear()
            self._by_call[key_id, model] = found
        return found

    def _counter(self, owner_id: str, rule: QuotaRule, model: str) -> QuotaCounter:
        pair = (owner_id, rule.counted_as(model))
        counter = self._counters.get(pair)
        if counter is None:
            counter = self._counters[pair] = QuotaCounter(owner_id, rule, model, self._now())
            for bucket, used in self._kept.pop(pair, {}).items():
                counter.take_up(bucket, used)
            if len(self._counters) > MAX_COUNTERS:
                self._counters.popitem(last=False)
        elif counter.rule != rule:
            counter.change(rule)
        else:
            return counter
        finding = self._findings.get(pair)
        if finding is not None and rule.source != "admin":
            _apply(counter, finding)
        return counter

    def _state(self, counter: QuotaCounter, key_id: str, model: str, now: float, wanted: int) -> KeyState:
        ends = counter.resets_at(now, wanted)
        if not counter.holds and counter.full_until <= now:
            ends = counter.trial_until
        condition = KeyCondition.RATE_LIMITED if counter.rule.window in SHORT else KeyCondition.EXHAUSTED
        until = None if ends is None else datetime.fromtimestamp(ends, UTC)
        standing = counter.standing(now)
        amount = f"{standing.limit:,}" if standing.limit is not None else "its"
        pool = f" of {counter.rule.pool}" if counter.rule.pool else ""
        reason = f"Its quota of {amount} {standing.dimension.replace('_', ' ')} per {standing.window}{pool} is used up."
        return KeyState(key_id, condition, until, reason=reason, model=model)

    def _observe(self, key_id: str, counter: QuotaCounter, window: RateLimitWindow, now: float) -> None:
        limit = window.limit or 0
        if counter.source != "admin" and limit != counter.amount:
            if counter.source == "registry" and limit > counter.rule.amount:
                self._remember(QuotaFinding(key_id, REGISTRY, None, self._clock.now()))
                return
            self._find(counter, limit)
        if window.remaining is not None:
            counter.sync(now, max(limit - window.remaining, 0))

    def _find(self, counter: QuotaCounter, amount: int | None) -> None:
        finding = QuotaFinding(counter.owner_id, counter.name, amount, self._clock.now())
        _apply(counter, finding)
        self._remember(finding)

    def _remember(self, finding: QuotaFinding) -> None:
        self._findings[finding.owner_id, finding.name] = finding
        self._found.append(finding)
        if finding.name == REGISTRY:
            self._by_call.clear()

    def _refuted(self, key_id: str, rule: QuotaRule) -> bool:
        return rule.source == "registry" and (key_id, REGISTRY) in self._findings

    def _see(self, key_id: str, model: str, windows: Sequence[RateLimitWindow]) -> None:
        pair = (key_id, model if windows[0].by_model else "")
        self._seen[pair] = (self._now(), tuple(windows))
        if len(self._seen) > MAX_SEEN:
            self._seen.popitem(last=False)

    def _observed(self, key_id: str, known: Sequence[QuotaStanding], now: float) -> list[QuotaStanding]:
        """What headers said last of windows that no rule is about."""
        shown = {(each.dimension, each.window) for each in known}
        return [
            _as_seen(window, model, seen_at, now)
            for (held_id, model), (seen_at, windows) in self._seen.items()
            if held_id == key_id
            for window in windows
            if (window.dimension, window.window) not in shown and window.limit
        ]


class _Hold(QuotaHold):
    __slots__ = ("_now", "_open", "_taken")

    def __init__(self, now: Callable[[], float], taken: list[tuple[QuotaCounter, int, int]]) -> None:
        self._now = now
        self._taken = taken
        self._open = True

    @override
    def settle(self, usage: TokenUsage | None, cost_nano_usd: int | None) -> None:
        if self._open:
            self._open = False
            now = self._now()
            for counter, bucket, taken in self._taken:
                counter.open -= 1
                counter.held -= taken
                counter.correct(now, bucket, _real(counter, usage, cost_nano_usd) - taken)

    @override
    def release(self) -> None:
        if self._open:
            self._open = False
            now = self._now()
            for counter, bucket, taken in self._taken:
                counter.open -= 1
                counter.held -= taken
                counter.trial_until = 0.0
                counter.correct(now, bucket, -taken)


def _apply(counter: QuotaCounter, finding: QuotaFinding) -> None:
    counter.amount, counter.source, counter.as_of = finding.amount, "observed", finding.found_at.date()


def _counts(rule: QuotaRule, model: str) -> bool:
    return not rule.models or any(fnmatchcase(model, pattern) for pattern in rule.models)


def _counts_all(rule: QuotaRule) -> bool:
    return rule.shared and not rule.models


def _least(counter: QuotaCounter, prompt: int) -> int:
    """What a call is sure to use."""
    return max(prompt, 1) if counter.rule.dimension in {"tokens", "input_tokens"} else 1


def _expected(counter: QuotaCounter, prompt: int, output: int) -> int:
    return {"requests": 1, "tokens": prompt + output, "input_tokens": prompt, "output_tokens": output}.get(
        counter.rule.dimension, 0
    )


def _real(counter: QuotaCounter, usage: TokenUsage | None, cost_nano_usd: int | None) -> int:
    match counter.rule.dimension:
        case "requests":
            return 1
        case "usd":
            return cost_nano_usd or 0
        case "neurons":
            return (cost_nano_usd or 0) // NANO_USD_PER_MILLI_NEURON
        case _ if usage is None:
            return 0
        case "tokens":
            return usage.input_tokens + usage.output_tokens
        case "input_tokens":
            return usage.input_tokens
        case _:
            return usage.output_tokens


def _ends(state: KeyState) -> datetime:
    return state.until or datetime.max.replace(tzinfo=UTC)


def _as_seen(window: RateLimitWindow, model: str, seen_at: float, now: float) -> QuotaStanding:
    ends = None if window.reset_seconds is None else seen_at + window.reset_seconds
    limit, left = window.limit, window.remaining
    if ends is not None and ends <= now:
        left = limit
    resets_at = None if ends is None or ends <= now else datetime.fromtimestamp(ends, UTC)
    return QuotaStanding(
        pool=None,
        models=(model,) if model else (),
        dimension=window.dimension,
        window=window.window,
        limit=limit,
        used=None if limit is None or left is None else limit - left,
        remaining=left,
        resets_at=resets_at,
        forecast_exhausted_at=None,
        source="observed",
        as_of=datetime.fromtimestamp(seen_at, UTC).date(),
        enforced=left == 0,
    )
