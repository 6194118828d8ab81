"""What hashes passwords: right ones fit, wrong ones and nobody's do not, and too many at once are sent away."""

import asyncio
import threading

import pytest

from adapters.security.argon2_passwords import AT_ONCE, MAX_WAITING, Argon2Passwords
from domain.errors import TooManyAttempts
from domain.ports.sign_in import PasswordHasher
from tests.fakes.sign_in import FakePasswords


@pytest.fixture(params=["fake", "argon2"])
def hasher(request: pytest.FixtureRequest) -> PasswordHasher:
    return FakePasswords() if request.param == "fake" else Argon2Passwords(memory_kib=64, passes=1)


async def test_a_password_fits_its_own_hash_and_no_other(hasher: PasswordHasher) -> None:
    hash_ = await hasher.hash("correct horse battery")

    assert await hasher.verify("correct horse battery", hash_)
    assert not await hasher.verify("correct horse batterz", hash_)
    assert not await hasher.verify("", hash_)
    assert hasher.is_current(hash_)


async def test_nobodys_hash_fits_nothing(hasher: PasswordHasher) -> None:
    assert not await hasher.verify("correct horse battery", None)
    assert not await hasher.verify("the password of nobody", None)
    assert not await hasher.verify("x", "no hash at all")


async def test_a_hash_of_older_parameters_still_fits_and_is_to_be_renewed() -> None:
    for old, new in (
        (FakePasswords(1), FakePasswords(2)),
        (Argon2Passwords(memory_kib=64, passes=1), Argon2Passwords(memory_kib=128, passes=2)),
    ):
        hash_ = await old.hash("correct horse battery")
        assert await new.verify("correct horse battery", hash_)
        assert not new.is_current(hash_)


async def test_two_are_hashed_at_once_and_a_few_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """F10: a flood of sign-ins takes two threads and a short queue, and whoever leaves gives up the place."""
    hasher = Argon2Passwords(memory_kib=64, passes=1)
    nobody = await hasher.hash("x" * 12)
    gate, running, most = threading.Event(), 0, 0
    lock = threading.Lock()

    def held(password: str, hash_: str | None) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        gate.wait()
        with lock:
            running -= 1
        return False

    monkeypatch.setattr(hasher, "_verified", held)
    tasks = [asyncio.ensure_future(hasher.verify("x", nobody)) for _ in range(AT_ONCE + MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyAttempts) as refused:
        await hasher.verify("x", nobody)
    for task in tasks:
        task.cancel()
    await asyncio.sleep(0)
    with pytest.raises(TooManyAttempts):  # those who left are still being worked for
        await hasher.verify("x", nobody)
    gate.set()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert refused.value.retry_after_seconds > 0
    assert most <= AT_ONCE
