"""The breaker against a model of it, over random histories (R-39)."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from adapters.availability.breaker import (
    FAILURES_TO_OPEN,
    MAX_OPEN_SECONDS,
    OPEN_SECONDS,
    PROBE_LEASE_SECONDS,
    Breaker,
)


class BreakerHistory(RuleBasedStateMachine):
    """Calls start, end well, end badly or never end, while time passes: in steps whose sums are exact as floats."""

    @initialize()
    def start(self) -> None:
        self.breaker = Breaker()
        self.now = 0.0
        self.failures_in_a_row = 0
        self.passed_since_open: list[float] = []
        self.openings = 0
        self.opens_until = 0.0

    @rule(seconds=st.sampled_from([0.0, 0.125, 1.0, 29.0, 30.0, 59.0, 60.0, 61.0, 300.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def a_call_asks_to_pass(self) -> None:
        wait = self.breaker.seconds_to_probe(self.now)
        allowed = self.breaker.allow(self.now)
        assert allowed == (wait is None or wait == 0)
        if allowed and not self.breaker.closed:
            recent = [at for at in self.passed_since_open if self.now - at < PROBE_LEASE_SECONDS]
            assert recent == [], "two probes at a time"
            self.passed_since_open.append(self.now)

    @rule()
    def a_call_succeeds(self) -> None:
        self.breaker.succeeded()
        self.failures_in_a_row = self.openings = 0
        self.passed_since_open = []
        assert self.breaker.untouched

    @rule()
    def a_call_fails(self) -> None:
        was_closed = self.breaker.closed
        self.breaker.failed(self.now)
        if was_closed:
            self.failures_in_a_row += 1
            assert self.breaker.closed == (self.failures_in_a_row < FAILURES_TO_OPEN)
            if not self.breaker.closed:
                self._opened()
        elif self.now >= self.opens_until:
            self._opened()

    @precondition(lambda self: not self.breaker.closed)
    @rule()
    def a_call_ends_without_a_verdict(self) -> None:
        self.breaker.inconclusive()
        self.passed_since_open = []
        assert not self.breaker.closed

    @invariant()
    def no_wait_is_longer_than_the_longest(self) -> None:
        wait = self.breaker.seconds_to_probe(self.now)
        assert wait is None or 0 <= wait <= MAX_OPEN_SECONDS

    @invariant()
    def it_is_never_shut_for_good(self) -> None:
        wait = self.breaker.seconds_to_probe(self.now)
        assert wait is None or self.breaker.seconds_to_probe(self.now + wait) == 0

    def _opened(self) -> None:
        self.openings += 1
        self.passed_since_open = []
        expected = min(OPEN_SECONDS * self.openings, MAX_OPEN_SECONDS)
        self.opens_until = self.now + expected
        assert abs((self.breaker.seconds_to_probe(self.now) or 0) - expected) < 1e-6


TestBreakerHistory = BreakerHistory.TestCase
TestBreakerHistory.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_what_fails_while_it_is_open_was_on_its_way_before_and_changes_nothing() -> None:
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN):
        breaker.failed(0.0)

    for _ in range(20):
        breaker.failed(10.0)

    assert breaker.seconds_to_probe(10.0) == 20.0
