"""Real time, and ids that grow with it."""

import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from typing_extensions import override

from domain.ports.runtime import Clock, IdFactory

_COUNTER_BITS = 12
_RANDOM_BITS = 62
_VARIANT = 0b10 << _RANDOM_BITS


class SystemClock(Clock):
    """The machine's clocks."""

    @override
    def now(self) -> datetime:
        return datetime.now(UTC)

    monotonic = staticmethod(time.monotonic)  # asyncio's and uvloop's loop.time() read the same clock


class Uuid7Ids(IdFactory):
    """UUIDv7 in 32 hex digits: 48 bits of Unix milliseconds, a 12-bit counter, 62 random bits.

    Ids of one factory strictly grow, also within a millisecond and when the clock steps back (RFC 9562 6.2,
    method 1: the counter starts at a random value below half of its range, and a full one borrows the next
    millisecond). `unix_ns` is nanoseconds since 1970.
    """

    def __init__(self, unix_ns: Callable[[], int] = time.time_ns) -> None:
        self._unix_ns = unix_ns
        self._bits = random.Random().getrandbits  # noqa: S311 - unique, not secret: no system call an id
        self._lock = threading.Lock()
        self._millisecond = 0
        self._counter = 0

    @override
    def new(self, prefix: str) -> str:
        with self._lock:
            millisecond, counter = self._step()
        # version 7 and variant 0b10, put between the parts
        return f"{prefix}_{millisecond:012x}7{counter:03x}{_VARIANT | self._bits(_RANDOM_BITS):016x}"

    def _step(self) -> tuple[int, int]:
        now = self._unix_ns() // 1_000_000
        if now > self._millisecond:
            self._millisecond = now
            self._counter = self._bits(_COUNTER_BITS - 1)
        elif self._counter + 1 < 1 << _COUNTER_BITS:
            self._counter += 1
        else:
            self._millisecond += 1
            self._counter = self._bits(_COUNTER_BITS - 1)
        return self._millisecond, self._counter
