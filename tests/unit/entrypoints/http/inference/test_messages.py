"""The routes of Anthropic's API at the edge: its errors, its headers, its pings."""

import json

import pytest

from entrypoints.http.edge.config import EdgeConfig
from entrypoints.http.error_styles import ANTHROPIC_ERRORS, OPENAI_ERRORS
from entrypoints.http.errors import ErrorAnswer, ErrorDetail
from tests.unit.entrypoints.http.harness import AUTH, Harness

BODY = json.dumps({"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}).encode()
PATHS = ("/v1/messages", "/v1/messages/count_tokens")


@pytest.mark.parametrize("path", PATHS)
async def test_a_body_too_large_is_refused_in_anthropics_shape(path: str) -> None:
    harness = await Harness.make(EdgeConfig(allowed_hosts=("localhost",), max_body_bytes=10))

    answer = await harness.client().request("POST", path, (AUTH,), BODY)

    assert (answer.status, answer.json()["error"]["type"]) == (413, "request_too_large")


@pytest.mark.parametrize("path", PATHS)
async def test_without_a_key_the_answer_is_anthropics_too(path: str) -> None:
    answer = await (await Harness.make()).client().request("POST", path, (), BODY)

    received = answer.json()
    assert (answer.status, received["type"], received["error"]["type"]) == (401, "error", "authentication_error")
    assert answer.headers["request-id"] == answer.headers["x-request-id"] == received["request_id"]


async def test_a_host_that_is_not_ours_is_refused_in_the_routes_shape() -> None:
    answer = await (await Harness.make()).client().request("POST", "/v1/messages", (), BODY, host=b"evil.example")

    assert answer.json()["type"] == "error"


async def test_other_routes_have_one_id_header_and_openais_shape() -> None:
    answer = await (await Harness.make()).client().request("POST", "/v1/chat/completions", (), BODY)

    assert "request-id" not in answer.headers
    assert set(answer.json()) == {"error", "request_id"}


@pytest.mark.parametrize("path", PATHS)
async def test_only_the_headers_anthropic_knows_are_taken_along(path: str) -> None:
    """S-24."""
    harness = await Harness.make()
    sent = ((b"anthropic-version", b"2023-06-01"), (b"anthropic-beta", b"a,b"), (b"cookie", b"c"), (b"x-app", b"cli"))

    await harness.client().request("POST", path, (AUTH, *sent), BODY)

    call = harness.pipeline.calls[0]
    assert call.client_headers == (("anthropic-version", "2023-06-01"), ("anthropic-beta", "a,b"))
    assert harness.pipeline.endpoints == ["messages" if path == "/v1/messages" else "messages.count_tokens"]


@pytest.mark.parametrize(
    ("status", "type_", "code", "shown", "kind"),
    [
        (400, "invalid_request_error", "invalid_value", 400, "invalid_request_error"),
        (401, "invalid_request_error", "invalid_api_key", 401, "authentication_error"),
        (403, "permission_error", "model_not_allowed", 403, "permission_error"),
        (404, "invalid_request_error", "model_not_found", 404, "not_found_error"),
        (405, "invalid_request_error", "method_not_supported", 405, "invalid_request_error"),
        (409, "conflict_error", "conflict", 409, "conflict_error"),
        (413, "invalid_request_error", "request_too_large", 413, "request_too_large"),
        (422, "BadRequest", None, 422, "invalid_request_error"),
        (429, "rate_limit_error", "rate_limit_exceeded", 429, "rate_limit_error"),
        (429, "insufficient_quota", "budget_exceeded", 429, "rate_limit_error"),
        (429, "insufficient_quota", "insufficient_quota", 402, "billing_error"),
        (500, "api_error", "internal_error", 500, "api_error"),
        (502, "api_error", "upstream_error", 502, "api_error"),
        (503, "api_error", "no_provider_available", 529, "overloaded_error"),
        (504, "api_error", "upstream_timeout", 504, "timeout_error"),
    ],
)
def test_every_status_has_anthropics_type(status: int, type_: str, code: str | None, shown: int, kind: str) -> None:
    answer = ErrorAnswer(status, ErrorDetail("What went wrong.", type_, None, code))

    told_status, body = ANTHROPIC_ERRORS.plain(answer, "req_1")

    received = json.loads(body)
    assert told_status == shown
    assert (received["type"], received["request_id"]) == ("error", "req_1")
    assert received["error"]["type"] == kind
    assert received["error"]["message"] == "What went wrong."
    assert received["error"].get("details") == ({"error_code": code} if code else None)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (
            "This model's maximum context length is 128,000 tokens. However, you requested 130111 tokens.",
            "prompt is too long: 130111 tokens > 128000 maximum",
        ),
        ("Too much text.", "prompt is too long: Too much text."),
        ("prompt is too long: 9 tokens > 8 maximum", "prompt is too long: 9 tokens > 8 maximum"),
    ],
)
def test_a_prompt_too_long_is_told_in_the_words_clients_look_for(message: str, shown: str) -> None:
    answer = ErrorAnswer(400, ErrorDetail(message, "invalid_request_error", "messages", "context_length_exceeded"))

    assert json.loads(ANTHROPIC_ERRORS.plain(answer, "r")[1])["error"]["message"] == shown


def test_an_error_in_a_stream_and_a_ping_are_events_with_names() -> None:
    answer = ErrorAnswer(502, ErrorDetail("Broken off.", "api_error", None, None))

    name, data, *rest = ANTHROPIC_ERRORS.event(answer, "req_1").split(b"\n")

    assert (name, rest) == (b"event: error", [b"", b""])
    assert json.loads(data.removeprefix(b"data: "))["error"] == {"type": "api_error", "message": "Broken off."}
    assert ANTHROPIC_ERRORS.ping == b'event: ping\ndata: {"type": "ping"}\n\n'
    assert OPENAI_ERRORS.ping == b": ping\n\n"
