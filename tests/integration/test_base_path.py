"""Every route of the authorization matrix, with the base path and without it (contract 3)."""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple, cast

import httpx
import pytest

from entrypoints.http.authorization import MATRIX
from entrypoints.http.edge.base_path import below
from tests.integration.admin_app import ADMIN_TOKEN, AdminApp

_ROUTES: Final = [
    (method, re.sub(r"{[^}]*}", "x", template)) for method, template in sorted(MATRIX) if template != "/openapi.json"
]  # that document takes seconds to make: `tests/unit/entrypoints/http/edge/test_base_path.py` asks for it
_READS: Final = [(method, template) for method, template in _ROUTES if method == "GET" and (method, template) in MATRIX]
_AT_PROVIDERS: Final = re.compile(r"/(x/)?v1(beta)?/.*")


class Told(NamedTuple):
    """What makes two answers the same, but for what is of their own request."""

    status: int
    content_type: str
    code: str


class Answers(NamedTuple):
    """By method and address, as they were asked for: of a stranger, and of an admin."""

    stranger: dict[tuple[str, str], Told]
    admin: dict[tuple[str, str], Told]


async def _ask() -> Answers:
    app = below((await AdminApp.make()).app, "/llm")
    transport = httpx.ASGITransport(cast(httpx.ASGITransport, app))  # type: ignore[arg-type]  # both speak ASGI
    admin = {"authorization": f"Bearer {ADMIN_TOKEN}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:

        async def told(method: str, path: str, headers: dict[str, str]) -> Told:
            answer = await client.request(method, path, headers=headers)
            error = answer.json()["error"] if answer.is_error else {}
            code = str(error.get("code") or error.get("type"))  # of whichever API's shape it has
            return Told(answer.status_code, answer.headers.get("content-type", ""), code)

        return Answers(
            {
                (method, before + path): await told(method, before + path, {})
                for method, path in _ROUTES
                for before in ("", "/llm", "/else")
            },
            {
                (method, before + path): await told(method, before + path, admin)
                for method, path in _READS
                for before in ("", "/llm")
            },
        )


@pytest.fixture(scope="module")
def answers() -> Iterator[Answers]:
    with ThreadPoolExecutor(1) as thread:  # one application for all of it: making one takes most of a second
        yield thread.submit(asyncio.run, _ask()).result()


def test_every_route_answers_a_stranger_the_same_below_it(answers: Answers) -> None:
    of = answers.stranger
    assert [route for route in _ROUTES if of[route[0], "/llm" + route[1]] != of[route]] == []


def test_every_route_that_reads_answers_an_admin_the_same_below_it(answers: Answers) -> None:
    of = answers.admin
    assert [route for route in _READS if of[route[0], "/llm" + route[1]] != of[route]] == []
    assert sum(told.status == 200 for told in of.values()) > len(_READS)  # and most of them answer


def test_below_another_path_there_is_nothing(answers: Answers) -> None:
    """But what a provider of that name would serve."""
    found = {
        path for method, path in _ROUTES if answers.stranger[method, "/else" + path].status not in (404, 405)
    }  # fmt: skip
    assert [path for path in found if not _AT_PROVIDERS.fullmatch(path)] == []
