"""Providers fail underneath and clients do not notice, up to the first content and never after it (R-07, A2, A3)."""

import asyncio
import json
import time
from collections.abc import Sequence

import httpx
import pytest
from openai.types.chat import ChatCompletionMessageParam

from tests.e2e.conftest import AddUpstream
from tests.e2e.processes import Gateway, Simulator

pytestmark = pytest.mark.process

ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": "one two three"}]


def stream_text(answer: httpx.Response) -> str:
    """The text of a stream that ended as it should."""
    *events, done, end = answer.text.split("\n\n")
    assert (done, end) == ("data: [DONE]", "")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])


def ask(gateway: Gateway, candidates: Sequence[str], *, stream: bool = False) -> httpx.Response:
    first, *others = [f"{name}/m" for name in candidates]
    body = {"model": first, "models": others, "messages": ASK, "stream": stream}
    return gateway.http.post("/v1/chat/completions", json=body)


async def test_200_of_200_answers_while_the_first_is_limited_the_second_fails_and_the_third_works(
    gateway: Gateway, simulator: Simulator, add_upstream: AddUpstream
) -> None:
    shared = {"models": ["done-when-model"]}
    limited = add_upstream("limited", behaviours={"*": "sim-429-retry-60s"}, priority=1, settings=shared)
    failing = add_upstream("failing", behaviours={"*": "sim-500"}, priority=2, settings=shared)
    working = add_upstream("working", behaviours={"*": "sim-echo"}, priority=3, settings=shared)
    client = gateway.async_openai()

    async def one(number: int) -> str | None:
        ask: list[ChatCompletionMessageParam] = [{"role": "user", "content": f"number {number}"}]
        if number % 2:
            stream = await client.chat.completions.create(model="done-when-model", messages=ask, stream=True)
            return "".join([str(chunk.choices[0].delta.content or "") async for chunk in stream])
        answer = await client.chat.completions.create(model="done-when-model", messages=ask)
        return answer.choices[0].message.content

    answers: list[str | None] = []
    for start in range(0, 200, 20):
        answers += await asyncio.gather(*(one(number) for number in range(start, start + 20)))
    await client.close()

    assert answers == [f"number {number}" for number in range(200)]
    assert len(simulator.calls(working)) == 200
    assert len(simulator.calls(limited)) < 200  # it was left alone once it had said no
    assert len(simulator.calls(failing)) < 400

    statuses = {row["id"]: row for row in gateway.admin.get("/providers?limit=100").json()["data"]}
    assert statuses[limited]["status"] == "rate_limited"
    assert statuses[limited]["available_at"]
    assert statuses[failing]["status"] == "unhealthy"
    assert statuses[working]["status"] == "available"

    simulator.script(limited, behaviours={"*": "sim-echo"})
    assert gateway.admin.post(f"/providers/{limited}/retry").status_code == 200
    assert gateway.provider(limited)["status"] == "available"
    back = gateway.http.post("/v1/chat/completions", json={"model": "done-when-model", "messages": ASK})
    assert back.headers["x-omg-provider"] == limited

    for persona in (limited, failing, working):
        assert gateway.key not in json.dumps(simulator.requests(persona))
        for call in simulator.calls(persona):  # its models may have been listed before it had its key
            assert ["authorization", f"Bearer up-{persona}-0123456789abcdef"] in call["headers"]


@pytest.mark.parametrize("fault", ["sim-500", "sim-503", "sim-429", "sim-429-quota", "sim-402", "sim-401", "sim-403"])
@pytest.mark.parametrize("stream", [False, True])
def test_each_failure_before_content_goes_to_the_next_candidate(
    gateway: Gateway, add_upstream: AddUpstream, fault: str, stream: bool
) -> None:
    first = add_upstream("first", behaviours={"m": fault})
    second = add_upstream("second")

    answer = ask(gateway, [first, second], stream=stream)

    assert answer.status_code == 200
    assert answer.headers["x-omg-provider"] == second
    assert (stream_text(answer) if stream else answer.json()["choices"][0]["message"]["content"]) == "one two three"


@pytest.mark.parametrize(
    "fault", ["sim-404", "sim-reset", "sim-cut-after-0", "sim-bad-json", "sim-error-200", "sim-529"]
)
@pytest.mark.parametrize("stream", [False, True])
def test_each_broken_answer_before_content_goes_to_the_next_candidate(
    gateway: Gateway, add_upstream: AddUpstream, fault: str, stream: bool
) -> None:
    first = add_upstream("first", behaviours={"m": fault})
    second = add_upstream("second")

    answer = ask(gateway, [first, second], stream=stream)

    assert answer.status_code == 200
    assert answer.headers["x-omg-provider"] == second


def test_a_refused_connection_goes_to_the_next_candidate(
    gateway: Gateway, add_upstream: AddUpstream, simulator: Simulator
) -> None:
    gateway.add_provider("nobody", "http://127.0.0.1:9/v1")
    second = add_upstream("second")

    answer = ask(gateway, ["nobody", second])
    gateway.admin.delete("/providers/nobody")

    assert (answer.status_code, answer.headers["x-omg-provider"]) == (200, second)
    assert answer.headers["x-omg-attempts"] == "2"


@pytest.mark.parametrize("kind", ["error_event", "cut", "reset", "end", "bad_json"])
@pytest.mark.parametrize("frames", [0, 1, 2])
def test_a_failure_among_lifecycle_frames_gives_one_clean_stream_from_the_fallback(
    gateway: Gateway, add_upstream: AddUpstream, kind: str, frames: int
) -> None:
    """R-07: nothing of the first upstream is seen, the role comes once."""
    failing = {"odd": "empty-choices-first", "fault": kind, "after_chunks": frames}
    first = add_upstream("first", behaviours={"m": [failing]})
    second = add_upstream("second")

    answer = ask(gateway, [first, second], stream=True)

    assert answer.headers["x-omg-provider"] == second
    assert stream_text(answer) == "one two three"
    assert answer.text.count('"role"') == 1


@pytest.mark.parametrize("kind", ["error_event", "cut", "reset", "end", "bad_json"])
def test_a_failure_after_content_shows_the_prefix_once_then_one_error_event(
    gateway: Gateway, simulator: Simulator, add_upstream: AddUpstream, kind: str
) -> None:
    """R-07: the second upstream is not called, and the stream does not claim to be complete."""
    first = add_upstream("first", behaviours={"m": [{"fault": kind, "after_chunks": 3}]})
    second = add_upstream("second")

    answer = ask(gateway, [first, second], stream=True)

    *events, last, end = answer.text.split("\n\n")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    said = "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])
    assert (said, end) == ("one two", "")
    assert json.loads(last.removeprefix("data: "))["error"]["message"]
    assert "[DONE]" not in answer.text
    assert simulator.calls(second) == []


def test_a_plain_answer_cut_short_is_not_passed_on(gateway: Gateway, add_upstream: AddUpstream) -> None:
    """R-08: half a body with a 200 is a failure."""
    only = add_upstream(behaviours={"m": [{"fault": "cut"}]})

    answer = ask(gateway, [only])

    assert answer.status_code == 502
    assert answer.json()["error"]["code"] in {"upstream_truncated", "upstream_error"}


def test_at_most_three_upstream_calls_are_made(
    gateway: Gateway, simulator: Simulator, add_upstream: AddUpstream
) -> None:
    names = [add_upstream("failing", behaviours={"m": "sim-500"}) for _ in range(4)]

    answer = ask(gateway, names)

    assert answer.status_code == 502
    assert sum(len(simulator.calls(name)) for name in names) == 3
    assert answer.headers["x-omg-attempts"] == "3"


def test_the_next_key_of_a_provider_serves_where_the_first_is_limited(
    gateway: Gateway, simulator: Simulator, add_upstream: AddUpstream
) -> None:
    name = add_upstream(behaviours={"m": ["sim-429-retry-60s", "sim-echo"]})
    gateway.add_key(name, "up-second-key-0123456789")

    first, second = ask(gateway, [name]), ask(gateway, [name])

    assert (first.status_code, second.status_code) == (200, 200)
    used = [dict(call["headers"])["authorization"] for call in simulator.calls(name)]
    assert len(set(used[:2])) == 2
    assert used[2] == used[1]
    assert gateway.provider(name)["status"] == "available"
    conditions = sorted(key["status"] for key in gateway.admin.get(f"/providers/{name}/keys").json()["data"])
    assert conditions == ["available", "rate_limited"]


def test_a_limited_provider_comes_back_when_its_wait_is_over(
    gateway: Gateway, simulator: Simulator, add_upstream: AddUpstream
) -> None:
    name = add_upstream(behaviours={"m": ["sim-429-retry-1s", "sim-echo"]})

    refused, at_once = ask(gateway, [name]), ask(gateway, [name])
    time.sleep(1.1)
    back = ask(gateway, [name])

    assert [refused.status_code, at_once.status_code, back.status_code] == [429, 429, 200]
    assert len(simulator.calls(name)) == 2


def test_a_change_of_url_to_another_origin_removes_the_keys(
    gateway: Gateway, simulator: Simulator, add_upstream: AddUpstream
) -> None:
    """S-07: a credential is bound to its origin, and `localhost` is another one than its address."""
    name = add_upstream()
    elsewhere = simulator.base_url(f"{name}-elsewhere").replace("127.0.0.1", "localhost")

    changed = gateway.admin.patch(f"/providers/{name}", json={"base_url": elsewhere})
    ask(gateway, [name])

    assert changed.status_code == 200
    assert gateway.provider(name)["keys"] == 0
    for call in simulator.requests(f"{name}-elsewhere"):
        assert f"up-{name}" not in json.dumps(call)


DROPPED = (
    "api_base base_url api_key api_version api_type organization project extra_headers headers proxy proxies timeout "
    "custom_llm_provider azure_endpoint"
).split()
HARMLESS = "url endpoint host authorization credentials custom_host http_proxy organization_id".split()


@pytest.mark.parametrize("name", DROPPED + HARMLESS)
def test_no_body_field_can_choose_a_destination_or_a_credential(
    gateway: Gateway, simulator: Simulator, upstream: str, name: str
) -> None:
    """S-07: the configured upstream is called with its own key, the named one never."""
    trap = f"trap-{upstream}"
    body = {"model": f"{upstream}/m", "messages": ASK, name: simulator.base_url(trap)}

    answer = gateway.http.post("/v1/chat/completions", json=body)

    assert answer.status_code == 200
    assert simulator.requests(trap) == []
    [call] = simulator.calls(upstream)
    assert dict(call["headers"])["authorization"] == f"Bearer up-{upstream}-0123456789abcdef"
    assert name not in call["body"] or name in HARMLESS  # other names are fields the gateway does not know


ALLOWED_UPSTREAM = {
    *("host", "authorization", "content-type", "content-length", "accept", "accept-encoding", "user-agent"),
    *("connection", "transfer-encoding"),
}


def test_headers_reach_the_upstream_from_an_allow_list_only(
    gateway: Gateway, simulator: Simulator, upstream: str
) -> None:
    """S-24: the client's cookies, credentials, proxy and tracing headers stay here."""
    names = (
        "cookie proxy-authorization forwarded x-forwarded-for x-forwarded-host x-real-ip te via origin referer "
        "x-custom openai-organization x-stainless-lang traceparent x-request-id"
    ).split()
    headers = {name: "trailers" if name == "te" else "client-value-1" for name in names}

    answer = gateway.http.post(
        "/v1/chat/completions", json={"model": f"{upstream}/m", "messages": ASK}, headers=headers
    )

    assert answer.status_code == 200
    received = {name for name, _ in simulator.calls(upstream)[-1]["headers"]}
    assert received <= ALLOWED_UPSTREAM
    assert "client-value-1" not in json.dumps(simulator.calls(upstream)[-1]["headers"])


def test_response_headers_of_the_upstream_pass_by_allow_list_only(gateway: Gateway, add_upstream: AddUpstream) -> None:
    output = {"set-cookie": "a=b", "server": "leaky", "x-internal": "1", "x-powered-by": "php", "x-long": "v" * 9000}
    name = add_upstream(behaviours={"m": [{"headers": output}]})

    answer = ask(gateway, [name])

    assert answer.status_code == 200
    assert output.keys() & answer.headers.keys() == set()
