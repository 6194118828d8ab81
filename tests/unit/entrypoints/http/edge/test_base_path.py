"""The path of the public URL: what is taken off an address, and that nothing else is reached by it (contract 3)."""

from urllib.parse import unquote

import pytest
from litestar.types import Receive, Scope, Send

from entrypoints.http.app import create_http_app
from entrypoints.http.edge.base_path import below
from entrypoints.http.edge.config import EdgeConfig
from entrypoints.http.edge.cycle import scope_of
from entrypoints.http.edge.request_parser import RequestHead
from tests.unit.entrypoints.http.harness import Client, Harness

BELOW = [
    ("/llm", "/"),
    ("/llm/", "/"),
    ("/llm?x=/llm/y", "/"),
    ("/llm/v1/models", "/v1/models"),
    ("/llm//v1/models", "//v1/models"),
    ("/llm/llm/v1/models", "/llm/v1/models"),
    ("/llm/%76%31/models", "/%76%31/models"),
    ("/llm/a%2Fb", "/a%2Fb"),
    ("/llm/../admin/keys", "/../admin/keys"),
    ("http://gateway.example/llm/v1/models", "/v1/models"),
]
ELSEWHERE = [
    "/",
    "/v1/models",
    "/llmore/v1/models",
    "/llm%2Fadmin/keys",
    "/llm%2fadmin/keys",
    "/%6clm/v1/models",
    "/LLM/v1/models",
    "//llm/v1/models",
    "/./llm/v1/models",
    "/x/llm/v1/models",
    "/llm;x/v1/models",
    "/llm%00/v1/models",
]


async def _seen(target: str, base_path: str = "/llm") -> tuple[bytes, str]:
    """The address that the application is asked for: as it was sent, and decoded."""
    seen: list[tuple[bytes, str]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope["raw_path"], scope["path"]))

    scope = scope_of(RequestHead("GET", target.encode(), "1.1", []), None, None)

    async def nothing(*_: object) -> None: ...

    await below(app, base_path)(scope, nothing, nothing)  # type: ignore[arg-type]  # neither is called
    return seen[0]


@pytest.mark.parametrize(("target", "raw"), BELOW)
async def test_the_base_path_is_taken_off_once_and_as_it_was_sent(target: str, raw: str) -> None:
    assert await _seen(target) == (raw.encode(), unquote(raw))


@pytest.mark.parametrize("target", ELSEWHERE)
async def test_an_address_that_only_looks_like_it_stays_as_it_is(target: str) -> None:
    assert await _seen(target) == (target.encode(), unquote(target))


async def test_several_segments_are_one_base_path() -> None:
    assert await _seen("/a/llm/v1/models", "/a/llm") == (b"/v1/models", "/v1/models")
    assert await _seen("/a/v1/models", "/a/llm") == (b"/a/v1/models", "/a/v1/models")


def test_without_one_nothing_stands_before_the_application() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None: ...

    assert below(app, "") is app


async def _client() -> Client:
    edge = EdgeConfig(allowed_hosts=("localhost",), base_path="/llm")
    return Client(below(create_http_app((await Harness.make(edge)).services), edge.base_path))


@pytest.mark.parametrize("path", ["/", "/llm", "/llm/"])
async def test_a_browser_at_the_root_is_sent_below_it(path: str) -> None:
    answer = await (await _client()).request("GET", path, ((b"accept", b"text/html"),))

    assert (answer.status, answer.headers["location"]) == (303, "/llm/app")


async def test_a_program_at_the_root_is_told_addresses_below_it() -> None:
    answer = await (await _client()).request("GET", "/llm/")

    assert answer.json() == {"service": "Open Model Gateway", "docs": "/llm/docs", "api": "/llm/v1"}


async def test_the_page_of_the_api_loads_its_files_from_below_it() -> None:
    page = (await (await _client()).request("GET", "/docs")).body.decode()
    document = (await (await _client()).request("GET", "/llm/openapi.json")).json()

    assert 'href="/llm/openapi.json"' in page
    assert page.count('="/llm/docs/assets/') == 5
    assert '="/docs/' not in page
    assert document["servers"] == [{"url": "/llm"}]
