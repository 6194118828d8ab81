"""What is asked for and not served is told apart, in the shape that the asking client reads."""

import pytest

from entrypoints.http.edge.absent import absent
from tests.unit.entrypoints.http.harness import Harness

OPENAIS = (
    "/v1/batches", "/v1/batches/b_1/cancel", "/v1/files", "/v1/uploads/u_1/parts", "/v1/realtime",
    "/v1/realtime/sessions",
    "/v1/assistants", "/v1/threads/t/runs", "/v1/vector_stores", "/v1/fine_tuning/jobs", "/v1/evals", "/v1/containers",
    "/v1/conversations", "/v1/images/variations", "/v1/chat/completions/c_1", "/v1/chat/completions/c_1/messages",
    "/alpha/v1/files", "/v1//files/",
)  # fmt: skip
ANTHROPICS = (
    "/v1/messages/batches",
    "/v1/messages/batches/b/results",
    "/v1/complete",
    "/anthropic/v1/messages/batches",
)
OLLAMAS = ("/api/chat", "/api/generate", "/api/tags", "/v1/api/chat", "/api/blobs/sha256:0")
COHERES = ("/v2/chat", "/v2/embed", "/v1/v2/chat")


@pytest.mark.parametrize("path", OPENAIS)
async def test_what_of_openais_is_not_served_is_said_by_name(path: str) -> None:
    answer = await (await Harness.make()).get(path)

    assert (answer.status, answer.code) == (404, "not_found")
    assert "not served by this gateway" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ANTHROPICS)
async def test_what_of_anthropics_is_not_served_is_said_in_anthropics_shape(path: str) -> None:
    answer = await (await Harness.make()).get(path)

    assert answer.status == 404
    assert (answer.json()["type"], answer.json()["error"]["type"]) == ("error", "not_found_error")
    assert "not served by this gateway" in answer.json()["error"]["message"]


async def test_a_version_of_anthropics_decides_the_shape_of_openais_addresses_too() -> None:
    answer = await (await Harness.make()).get("/v1/files", (b"anthropic-version", b"2023-06-01"))

    assert answer.json()["error"]["type"] == "not_found_error"


@pytest.mark.parametrize("path", OLLAMAS)
async def test_a_client_of_ollamas_is_told_the_base_url_in_ollamas_shape(path: str) -> None:
    answer = await (await Harness.make()).get(path)

    assert answer.status == 404
    assert "/v1/chat/completions" in answer.json()["error"]


@pytest.mark.parametrize("path", COHERES)
async def test_a_client_of_coheres_is_told_so_in_coheres_shape(path: str) -> None:
    answer = await (await Harness.make()).get(path)

    assert answer.status == 404
    assert "Cohere" in answer.json()["message"]


async def test_a_base_url_with_api_before_v1_is_told_apart() -> None:
    answer = await (await Harness.make()).get("/api/v1/chat/completions")

    assert (answer.status, answer.code) == (404, "not_found")
    assert "ends in /v1" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/v1/nothing", "/alpha", "/api/chat/stream", "/api/files", "/api/models", "/v3/chat"])
def test_of_other_addresses_nothing_is_known(path: str) -> None:
    assert absent(path) is None


async def test_an_upgrade_to_a_websocket_is_answered_with_what_to_do() -> None:
    answer = await (await Harness.make()).get("/v1/responses", (b"connection", b"Upgrade"), (b"upgrade", b"websocket"))

    assert (answer.status, answer.code) == (426, "websocket_not_supported")
    assert answer.headers["upgrade"] == "HTTP/1.1"
    assert "supports_websockets = false" in answer.json()["error"]["message"]
