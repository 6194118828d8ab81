"""Ids sort by time and never repeat; the clock is aware."""

import asyncio
import re
import uuid
from datetime import UTC

from adapters.clock import SystemClock, Uuid7Ids


def test_now_is_aware_and_in_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


async def test_monotonic_reads_the_clock_of_the_event_loop() -> None:
    before = asyncio.get_running_loop().time()
    between = SystemClock().monotonic()
    assert before <= between <= asyncio.get_running_loop().time()


def test_an_id_is_a_prefix_and_a_version_seven_uuid() -> None:
    made = Uuid7Ids().new("req")
    assert re.fullmatch(r"req_[0-9a-f]{32}", made)
    assert uuid.UUID(made.removeprefix("req_")).version == 7
    assert uuid.UUID(made.removeprefix("req_")).variant == uuid.RFC_4122


def test_ids_grow_within_one_millisecond() -> None:
    ids = Uuid7Ids(unix_ns=lambda: 1_800_000_000_000_000_000)
    made = [ids.new("x") for _ in range(10_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_grow_when_the_wall_clock_steps_back() -> None:
    """R-21."""
    times = iter([5_000_000_000, 1_000_000_000, 1_000_000_000])
    ids = Uuid7Ids(unix_ns=lambda: next(times))
    made = [ids.new("x") for _ in range(3)]
    assert made == sorted(set(made))


def test_an_id_begins_with_its_millisecond() -> None:
    made = Uuid7Ids(unix_ns=lambda: 0x0123456789AB * 1_000_000).new("x")
    assert made.startswith("x_0123456789ab7")
