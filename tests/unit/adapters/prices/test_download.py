"""A published catalog is fetched through the egress guard, with an end to its size (S-08)."""

from collections.abc import Callable

import httpx
import pytest
from typing_extensions import override

from adapters.prices import download
from adapters.prices.download import GuardedDownload
from adapters.transport.egress import EgressGuard, Origin
from domain.errors import RequestInvalid

Answer = Callable[[httpx.Request], httpx.Response]


def downloading(answer: Answer) -> GuardedDownload:
    return GuardedDownload(lambda guard: httpx.MockTransport(answer))


async def test_what_was_published_is_fetched() -> None:
    found = await downloading(lambda request: httpx.Response(200, content=b"[1]")).fetch(
        "https://prices.example/d.json"
    )

    assert found == b"[1]"


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_what_is_no_answer_is_told(status: int) -> None:
    with pytest.raises(RequestInvalid, match=f"answered {status}; redirects are not followed"):
        await downloading(lambda request: httpx.Response(status, headers={"location": "http://x.example"})).fetch(
            "https://prices.example/d.json"
        )


async def test_a_file_without_end_is_not_read_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "MAX_BYTES", 10)

    with pytest.raises(RequestInvalid, match="is larger than"):
        await downloading(lambda request: httpx.Response(200, content=b"x" * 11)).fetch("https://prices.example/d.json")


async def test_a_provider_that_cannot_be_reached_is_told() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(RequestInvalid, match="cannot be reached: refused"):
        await downloading(refuse).fetch("https://prices.example/d.json")


@pytest.mark.parametrize("url", ["ftp://prices.example/d.json", "https://", "http://[::1"])
async def test_a_url_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(RequestInvalid, match="The URL cannot be used"):
        await downloading(lambda request: httpx.Response(200)).fetch(url)


class Guarded(httpx.AsyncBaseTransport):
    """Asks the guard as every transport does, and answers where it allows."""

    def __init__(self, guard: EgressGuard) -> None:
        self._guard = guard

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._guard.addresses(Origin.of(request.url))
        return httpx.Response(200, content=b"[]")


@pytest.mark.parametrize("address", ["169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "0.0.0.0"])
async def test_addresses_that_are_closed_are_not_asked(address: str) -> None:
    with pytest.raises(RequestInvalid, match="was not called"):
        await GuardedDownload(Guarded).fetch(f"http://{address}/data.json")


async def test_an_address_of_ones_own_network_may_be_typed() -> None:
    assert await GuardedDownload(Guarded).fetch("http://127.0.0.1:9/data.json") == b"[]"
