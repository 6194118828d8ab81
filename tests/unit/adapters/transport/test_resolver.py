"""Look-ups: shared, remembered, limited, and forgotten when they fail (R-44)."""

import asyncio
import threading

import httpx
import pytest

from adapters.transport.egress import Resolver, system_lookup


async def test_callers_of_one_name_share_a_look_up_and_its_answer_is_kept() -> None:
    asked: list[str] = []

    def lookup(name: str) -> list[str]:
        asked.append(name)
        return ["192.0.2.1"]

    resolver = Resolver(lookup)
    answers = await asyncio.gather(*(resolver.resolve("a.example") for _ in range(20)))

    assert answers == [("192.0.2.1",)] * 20
    assert await resolver.resolve("a.example") == ("192.0.2.1",)
    assert asked == ["a.example"]


async def test_an_answer_is_asked_for_again_after_its_time() -> None:
    answers = iter([["192.0.2.1"], ["192.0.2.2"]])
    resolver = Resolver(lambda _: next(answers), cache_seconds=0)

    assert await resolver.resolve("a.example") == ("192.0.2.1",)
    assert await resolver.resolve("a.example") == ("192.0.2.2",)


async def test_a_failure_is_not_remembered() -> None:
    fails = iter([True, False])

    def lookup(_: str) -> list[str]:
        if next(fails):
            raise OSError("Temporary failure in name resolution")
        return ["192.0.2.1"]

    resolver = Resolver(lookup)
    with pytest.raises(httpx.ConnectError, match="Temporary failure"):
        await resolver.resolve("a.example")

    assert await resolver.resolve("a.example") == ("192.0.2.1",)


async def test_a_dead_name_server_costs_the_limit_and_holds_up_nobody_else() -> None:
    release = threading.Event()

    def lookup(name: str) -> list[str]:
        if name == "dead.example":
            release.wait(5)
        return ["192.0.2.1"]

    resolver = Resolver(lookup, limit_seconds=0.05)
    try:
        waiting = [asyncio.create_task(resolver.resolve("dead.example")) for _ in range(50)]
        await asyncio.sleep(0)
        assert await resolver.resolve("alive.example") == ("192.0.2.1",)
        failed = await asyncio.gather(*waiting, return_exceptions=True)
    finally:
        release.set()

    assert all(isinstance(one, httpx.ConnectError) for one in failed)


async def test_the_system_knows_localhost() -> None:
    assert set(await Resolver(system_lookup).resolve("localhost")) <= {"127.0.0.1", "::1"}
