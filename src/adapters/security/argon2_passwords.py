"""Passwords by Argon2id: two hashes at once at most, in threads of their own, and a short queue before them (F10)."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TypeVar

from argon2 import PasswordHasher as Argon2
from argon2.exceptions import InvalidHashError, VerificationError
from typing_extensions import override

from domain.errors import TooManyAttempts
from domain.ports.sign_in import PasswordHasher

AT_ONCE = 2
MAX_WAITING = 20
MEMORY_KIB = 64 * 1024
PASSES = 3
LANES = 1

T = TypeVar("T")


class Argon2Passwords(PasswordHasher):
    """Import this with the first password: who signs in by links, or not at all, has neither library nor threads."""

    def __init__(self, *, memory_kib: int = MEMORY_KIB, passes: int = PASSES) -> None:
        self._argon2 = Argon2(time_cost=passes, memory_cost=memory_kib, parallelism=LANES)
        self._running = 0

    @override
    async def hash(self, password: str) -> str:
        return await self._run(lambda: self._argon2.hash(password))

    @override
    async def verify(self, password: str, hash_: str | None) -> bool:
        return await self._run(lambda: self._verified(password, hash_))

    @override
    def is_current(self, hash_: str) -> bool:
        return not self._argon2.check_needs_rehash(hash_)

    @cached_property
    def _nobodys(self) -> str:
        """What a password is held against where there is no account: it takes as long, and never fits."""
        return str(self._argon2.hash("the password of nobody"))

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(AT_ONCE, "passwords")

    def _verified(self, password: str, hash_: str | None) -> bool:
        nobodys = self._nobodys  # made with the first password that is verified, whoever's it is
        try:
            return bool(self._argon2.verify(hash_ or nobodys, password)) and hash_ is not None
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._running >= AT_ONCE + MAX_WAITING:
            raise TooManyAttempts("Too many people sign in at this moment; try again soon.", retry_after_seconds=2.0)
        self._running += 1
        work_done = asyncio.get_running_loop().run_in_executor(self._threads, work)
        work_done.add_done_callback(self._ended)  # and not when a caller leaves: the thread goes on
        return await asyncio.shield(work_done)

    def _ended(self, work_done: asyncio.Future[T]) -> None:
        self._running -= 1
        if not work_done.cancelled():
            work_done.exception()  # its caller may have left
