"""What is measured of deployments (contract 8)."""

import random
from datetime import timedelta
from statistics import quantiles

import pytest

from application.measurements import HALF_LIFE_SECONDS, MAX_DEPLOYMENTS, LiveMeasurements
from domain.measurements import NEVER_MEASURED
from domain.records import RequestRecord
from domain.usage import TokenUsage
from tests.builders import a_request_record, an_attempt_record
from tests.fakes.clock import FakeClock
from tests.fakes.usage_reader import MemoryUsage


def answered(clock: FakeClock, took_ms: float, *, ttft_ms: float | None = None, tokens: int = 100) -> RequestRecord:
    attempt = an_attempt_record(
        provider_id="alpha", model="m", outcome="ok", duration_ms=took_ms, usage=TokenUsage(10, tokens)
    )
    return a_request_record(created_at=clock.now(), attempts=(attempt,), latency_ms=took_ms, ttft_ms=ttft_ms)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def measurements(clock: FakeClock) -> LiveMeasurements:
    return LiveMeasurements(MemoryUsage(), clock)


def test_percentiles_are_right_within_a_few_per_cent(measurements: LiveMeasurements, clock: FakeClock) -> None:
    draw = random.Random(15)
    values = [draw.lognormvariate(6, 1) for _ in range(2000)]

    measurements.observe(answered(clock, value) for value in values)

    cuts = quantiles(values, n=100)
    found = measurements.measured("alpha", "m")
    assert found is not None
    assert found.latency_ms is not None
    assert found.latency_ms.p50 == pytest.approx(cuts[49], rel=0.05)
    assert found.latency_ms.p95 == pytest.approx(cuts[94], rel=0.05)
    assert (found.calls, found.failures, found.ttft_ms) == (2000, 0, None)


def test_what_was_never_asked_was_never_measured(measurements: LiveMeasurements) -> None:
    assert measurements.measured("alpha", "m") is None
    assert measurements.recent("alpha", "m") is NEVER_MEASURED


def test_a_day_later_it_is_forgotten(measurements: LiveMeasurements, clock: FakeClock) -> None:
    measurements.observe([answered(clock, 100.0)])
    assert measurements.measured("alpha", "m") is not None

    clock.advance(25 * 3600)

    assert measurements.measured("alpha", "m") is None


def test_speed_is_counted_from_the_first_content(measurements: LiveMeasurements, clock: FakeClock) -> None:
    measurements.observe([answered(clock, 3000.0, ttft_ms=1000.0, tokens=400)])

    found = measurements.measured("alpha", "m")
    assert found is not None
    assert found.tokens_per_second == 200.0
    assert measurements.recent("alpha", "m").tokens_per_second == pytest.approx(200.0)


def test_a_call_behind_failed_ones_is_measured_from_its_own_beginning(
    measurements: LiveMeasurements, clock: FakeClock
) -> None:
    failed = an_attempt_record(provider_id="beta", model="m", outcome="overloaded", duration_ms=700.0, usage=None)
    served = an_attempt_record(provider_id="alpha", model="m", outcome="ok", duration_ms=300.0)
    record = a_request_record(
        created_at=clock.now(), attempts=(failed, served), latency_ms=1000.0, ttft_ms=900.0, stream=True
    )

    measurements.observe([record])

    assert measurements.recent("alpha", "m").ttft_ms == pytest.approx(200.0)
    beta = measurements.measured("beta", "m")
    assert beta is not None
    assert (beta.calls, beta.failures, beta.latency_ms) == (1, 1, None)


@pytest.mark.parametrize("outcome", ["cancelled", "interrupted", "client_fault", "context_length", "error"])
def test_what_says_nothing_of_the_deployment_is_no_failure(
    measurements: LiveMeasurements, clock: FakeClock, outcome: str
) -> None:
    attempt = an_attempt_record(provider_id="alpha", model="m", outcome=outcome, usage=None)

    measurements.observe([a_request_record(created_at=clock.now(), attempts=(attempt,))])

    found = measurements.measured("alpha", "m")
    assert found is not None
    assert (found.calls, found.failures, found.latency_ms) == (1, 0, None)


def test_recent_figures_forget(measurements: LiveMeasurements, clock: FakeClock) -> None:
    measurements.observe([answered(clock, 1000.0)])
    clock.advance(HALF_LIFE_SECONDS)
    measurements.observe([answered(clock, 100.0)])

    assert measurements.recent("alpha", "m").latency_ms == pytest.approx((1000 * 0.5 + 100) / 1.5)


def test_there_is_an_end_to_what_is_remembered(measurements: LiveMeasurements, clock: FakeClock) -> None:
    for number in range(MAX_DEPLOYMENTS + 1):
        attempt = an_attempt_record(provider_id="alpha", model=f"m{number}", outcome="ok", duration_ms=1.0)
        measurements.observe([a_request_record(created_at=clock.now(), attempts=(attempt,))])

    assert measurements.measured("alpha", "m0") is None
    assert measurements.measured("alpha", f"m{MAX_DEPLOYMENTS}") is not None


async def test_a_start_reads_the_books_once_and_only_the_last_day(clock: FakeClock) -> None:
    old = answered(clock, 5000.0)
    clock.advance(25 * 3600)
    fresh = [answered(clock, 100.0 + number) for number in range(3)]
    records = [
        old,
        *(
            a_request_record(request_id=f"req_{number}", created_at=clock.now() - timedelta(minutes=1),
                             attempts=record.attempts, latency_ms=record.latency_ms)
            for number, record in enumerate(fresh)
        ),
    ]  # fmt: skip
    measurements = LiveMeasurements(MemoryUsage(records), clock)

    await measurements.read_books()
    await measurements.read_books()

    found = measurements.measured("alpha", "m")
    assert found is not None
    assert found.calls == 3
