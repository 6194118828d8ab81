"""Contract 7's table at the HTTP surface: what is asked next, what rests, and what the client is told."""

from typing import Any

import httpx
import msgspec
import pytest

from tests.e2e.conftest import AddUpstream
from tests.e2e.processes import Gateway, Simulator

pytestmark = pytest.mark.process

MESSAGES = [{"role": "user", "content": "one two three"}]
OPENAI_LIMIT = {"error": {"message": "Rate limit reached for model `m`. Try again in 45 s.", "type": "requests"}}


class Effect(msgspec.Struct, frozen=True):
    """`refusal` is the upstream's; `calls` counts those of one request to its two keys. `status` and `code` are the
    client's where nobody else serves; `next` is whether another provider is asked; `sibling` whether the provider's
    other model is answered afterwards, `again` whether the same model is asked for again by the next request.
    """

    name: str
    refusal: dict[str, Any]
    calls: int
    status: int
    code: str | None
    next: bool = True
    sibling: bool = True
    again: bool = True
    wait: int | None = None  # seconds, of `retry-after`


def said(status: int, message: str, code: str | None = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "status": status,
        "headers": headers or {},
        "body": {"error": {"message": message, "type": None, "param": None, "code": code}},
    }


def page(status: int) -> dict[str, Any]:
    return {"status": status, "headers": {"content-type": "text/html"}, "body": "<html><h1>Sorry</h1></html>"}


EFFECTS = [
    Effect("500", said(500, "broken"), 2, 502, "upstream_error"),
    Effect("503", said(503, "later"), 2, 503, "overloaded"),
    Effect(
        "429-key",
        said(429, "Slow down", headers={"retry-after": "45"}),
        2,
        429,
        "rate_limit_exceeded",
        sibling=False,
        again=False,
        wait=45,
    ),
    Effect(
        "429-words-beside-0",
        said(429, "Too many requests, retry in 45 seconds", headers={"retry-after": "0"}),
        2,
        429,
        "rate_limit_exceeded",
        sibling=False,
        again=False,
        wait=45,
    ),
    Effect(
        "429-model",
        said(429, "Rate limit reached for model `m`, try again in 45s"),
        2,
        429,
        "rate_limit_exceeded",
        again=False,
        wait=45,
    ),
    Effect(
        "429-quota",
        said(429, "You exceeded your current quota", "insufficient_quota"),
        2,
        429,
        "rate_limit_exceeded",
        sibling=False,
        again=False,
    ),
    Effect("402", said(402, "Insufficient Balance"), 2, 429, "rate_limit_exceeded", sibling=False, again=False),
    Effect(
        "403-quota",
        said(403, "Key limit exceeded (daily limit)"),
        2,
        429,
        "rate_limit_exceeded",
        sibling=False,
        again=False,
    ),
    Effect(
        "402-afford", said(402, "You requested up to 9 tokens, but can only afford 3."), 2, 429, "rate_limit_exceeded"
    ),
    Effect(
        "413-tpm",
        said(413, "Request too large for m on tokens per minute (TPM): Limit 6, Requested 9", "rate_limit_exceeded"),
        2,
        429,
        "rate_limit_exceeded",
    ),
    Effect(
        "401",
        said(401, "Incorrect API key provided", "invalid_api_key"),
        2,
        502,
        "upstream_auth_failed",
        sibling=False,
        again=False,
    ),
    Effect(
        "400-bad-key",
        said(400, "API key not valid. Please pass a valid API key."),
        2,
        502,
        "upstream_auth_failed",
        sibling=False,
        again=False,
    ),
    Effect(
        "403-blocked",
        said(403, "The model `m` is blocked", "model_permission_blocked_project"),
        2,
        404,
        "model_not_found",
        again=False,
    ),
    Effect(
        "404-model",
        said(404, "The model `m` does not exist", "model_not_found"),
        1,
        404,
        "model_not_found",
        again=False,
    ),
    Effect("410", said(410, "The model m has reached its end of life"), 1, 404, "model_not_found", again=False),
    Effect("400-tools", said(400, "m does not support tools"), 1, 400, None),
    Effect("404-tools", said(404, "No endpoints found that support tool use."), 1, 400, None),
    Effect("404-path", {"status": 404, "headers": {}, "body": {"detail": "Not Found"}}, 1, 502, "upstream_error"),
    Effect("404-page", page(404), 1, 502, "upstream_error"),
    Effect("403-page", page(403), 1, 502, "upstream_error"),
    Effect("413-page", page(413), 1, 502, "upstream_error"),
    Effect("418", said(418, "teapot"), 1, 502, "upstream_error"),
    Effect("451", said(451, "legal"), 1, 502, "upstream_error"),
    Effect("400", said(400, "messages: must not be empty"), 1, 400, None, next=False),
    Effect("422", said(422, "messages: must not be empty"), 1, 422, None, next=False),
    Effect("404-else", said(404, "Item with id 'x' not found."), 1, 404, None, next=False),
    Effect("context", said(400, "too long", "context_length_exceeded"), 1, 400, "context_length_exceeded"),
    Effect(
        "200-limit",
        {"status": 200, "headers": {}, "body": OPENAI_LIMIT},
        2,
        429,
        "rate_limit_exceeded",
        again=False,
        wait=45,
    ),
    Effect(
        "200-key",
        said(200, "Incorrect API key provided", "invalid_api_key"),
        2,
        502,
        "upstream_auth_failed",
        sibling=False,
        again=False,
    ),
    Effect(
        "200-model",
        said(200, "The model `m` does not exist", "model_not_found"),
        1,
        404,
        "model_not_found",
        again=False,
    ),
]


def ask(gateway: Gateway, model: str, **fields: object) -> httpx.Response:
    return gateway.http.post("/v1/chat/completions", json={"model": model, "messages": MESSAGES, **fields})


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.name)
def test_each_refusal_rests_what_it_speaks_of_and_tells_the_client(
    gateway: Gateway, simulator: Simulator, add_upstream: AddUpstream, effect: Effect, stream: bool
) -> None:
    first = add_upstream("first", behaviours={"m": effect.refusal, "other": "sim-echo"})
    gateway.add_key(first, f"second-{first}-0123456789")

    alone = ask(gateway, f"{first}/m", stream=stream)
    calls = len(simulator.calls(first))
    sibling = ask(gateway, f"{first}/other", stream=stream)
    before = len(simulator.calls(first))
    second = add_upstream("second", behaviours={"m": "sim-echo"})
    again = ask(gateway, f"{first}/m", models=[f"{second}/m"], stream=stream)

    assert alone.status_code == effect.status, alone.text
    assert calls == effect.calls
    assert (alone.json()["error"]["code"] or None) == effect.code
    if effect.wait is not None:
        assert effect.wait - 5 <= int(alone.headers["retry-after"]) <= effect.wait
    assert (sibling.status_code == 200) == effect.sibling, sibling.text
    assert (len(simulator.calls(first)) > before) == effect.again
    assert again.status_code == (200 if effect.next else effect.status), again.text


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("refusal", [effect for effect in EFFECTS if effect.name in {"404-path", "404-page"}])
def test_a_path_that_is_not_there_is_told_as_a_wrong_base_url(
    gateway: Gateway, add_upstream: AddUpstream, refusal: Effect, stream: bool
) -> None:
    name = add_upstream("astray", behaviours={"m": refusal.refusal})

    answer = ask(gateway, f"{name}/m", stream=stream)

    assert "base URL" in answer.json()["error"]["message"]


EVENTS = [
    (OPENAI_LIMIT, 429, "rate_limit_exceeded"),
    ({"error": {"message": "Insufficient Balance", "code": "invalid_request_error"}}, 429, "rate_limit_exceeded"),
    ({"error": {"message": "Overloaded", "type": "overloaded_error"}}, 503, "overloaded"),
    ({"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}, 502, "upstream_auth_failed"),
]


@pytest.mark.parametrize(("event", "status", "code"), EVENTS, ids=["limit", "spent", "overload", "key"])
def test_a_refusal_in_the_first_event_of_a_stream_is_a_refusal_and_after_content_one_error_event(
    gateway: Gateway, add_upstream: AddUpstream, event: dict[str, Any], status: int, code: str
) -> None:
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    content = {**chunk, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hel"}}]}
    name = add_upstream("events", behaviours={"m": {"events": [event]}, "late": {"events": [content, event]}})
    second = add_upstream("serving", behaviours={"m": "sim-echo"})

    late = ask(gateway, f"{name}/late", models=[f"{second}/m"], stream=True)
    alone = ask(gateway, f"{name}/m", stream=True)
    helped = ask(gateway, f"{name}/m", models=[f"{second}/m"], stream=True)

    assert (alone.status_code, alone.json()["error"]["code"]) == (status, code)
    assert (helped.status_code, helped.headers["x-omg-provider"]) == (200, second)
    assert late.status_code == 200
    assert late.text.count("Hel") == 1
    assert late.text.count('"error"') == 1
