"""An operator's headers go to the provider that they were given for, and to nobody else."""

import httpx

from adapters.transport.extra_headers import with_headers
from domain.timeouts import Timeouts

GIVEN = {"x-team": "research", "Anthropic-Beta": "ours", "user-agent": "research/1.0"}


async def sent(url: str, **headers: str) -> dict[str, str]:
    heard: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        heard.append(request.headers)
        return httpx.Response(200)

    transport = with_headers(httpx.MockTransport(answer), "https://api.example/v1", GIVEN, Timeouts())
    own = httpx.Headers({name.replace("_", "-"): value for name, value in headers.items()})
    before = own.copy()
    response = await transport.handle_async_request(httpx.Request("GET", url, headers=own))
    await response.aclose()
    await transport.aclose()
    assert own == before
    return dict(heard[0])


async def test_they_are_sent_with_every_call_to_the_providers_origin() -> None:
    found = await sent("https://api.example/v1/models", user_agent="open-model-gateway/1", anthropic_beta="theirs")

    assert found["x-team"] == "research"
    assert found["user-agent"] == "research/1.0"
    assert found["anthropic-beta"] == "theirs,ours"


async def test_no_other_origin_gets_them() -> None:
    for url in ("https://tokens.example/", "http://api.example/", "https://api.example:8443/"):
        assert "x-team" not in await sent(url)


def test_without_any_the_transport_is_the_same() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200))

    assert with_headers(transport, "https://api.example", {}, Timeouts()) is transport
