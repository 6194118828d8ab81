"""The whole HTTP application: it starts complete, and inference answers the same through the framework."""

import json

import pytest

from entrypoints.http import app as composition
from entrypoints.http.app import create_http_app
from entrypoints.http.authorization import MATRIX, MatrixIncomplete
from tests.fakes.pipeline import ANSWER
from tests.unit.entrypoints.http.harness import AUTH, CHAT, Client, Harness


async def a_client(http: Harness) -> Client:
    return Client(create_http_app(http.services))


async def test_inference_and_docs_are_served() -> None:
    http = await Harness.make()

    chat = await (await a_client(http)).request("POST", "/v1/chat/completions", (AUTH,), json.dumps(CHAT).encode())
    page = await (await a_client(http)).request("GET", "/docs")
    document = await (await a_client(http)).request("GET", "/openapi.json")

    assert (chat.status, chat.body) == (200, ANSWER)
    assert (page.status, document.status) == (200, 200)


@pytest.mark.parametrize("path", ["/Alpha/v1/models", "/al.pha/v1/models/m", "/v2/v1/models"])
async def test_an_impossible_provider_in_the_path_is_answered_as_unknown(path: str) -> None:
    http = await Harness.make()

    answer = await (await a_client(http)).request("GET", path, (AUTH,))

    assert (answer.status, answer.code) == (404, "provider_not_found")


async def test_it_does_not_start_with_a_route_that_nobody_authorized(monkeypatch: pytest.MonkeyPatch) -> None:
    """S-06: deny by default, found at start."""
    http = await Harness.make()
    monkeypatch.delitem(MATRIX, ("GET", "/v1/models"))

    with pytest.raises(MatrixIncomplete, match="GET /v1/models"):
        create_http_app(http.services)


async def test_the_admin_api_refuses_strangers_and_clients_in_the_contracts_shape() -> None:
    http = await Harness.make()

    for headers in ((), (AUTH,)):
        answer = await (await a_client(http)).request("GET", "/admin/provider-kinds", headers)
        assert answer.status in {401, 503}
        assert answer.code in {"invalid_api_key", "store_unavailable"}


def test_the_document_can_be_made_without_a_gateway() -> None:
    assert json.loads(composition.api_document())["openapi"].startswith("3.1")
