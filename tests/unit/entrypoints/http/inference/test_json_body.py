"""Bodies that are no chat request: always 400, with the place at fault (F3, R-36)."""

import json
from typing import Any

import pytest

from tests.unit.entrypoints.http.harness import AUTH, CHAT, Answer, Harness


async def send(body: bytes) -> Answer:
    return await (await Harness.make()).client().request("POST", "/v1/chat/completions", (AUTH,), body)


def chat(**fields: Any) -> bytes:
    return json.dumps(CHAT | fields).encode()


def raw(field: bytes) -> bytes:
    """A valid chat with one more field, written as it stands."""
    return chat()[:-1] + b"," + field + b"}"


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"{", b'{"model": "m"', b"not json", b'{"model": }', b"{'model': 'm'}", b"\xef\xbb\xbf{}", b"\x00",
        chat() + b"x", chat()[:-2], raw(b'"user": "\xff\xfe"'), raw(b'"extra": "\xff"'), raw(b'"user": "\\ud800"'),
        raw(b'"temperature": NaN'), raw(b'"seed": 01'), raw(b'"x": ' + b"[" * 65 + b"]" * 65),
        raw(b'"x": ' + b"[" * 1000 + b"]" * 1000), b"[" * 2_000_000, b'{"a":' * 100_000,
        raw(b'"metadata": ' + b'{"a":' * 100 + b"1" + b"}" * 100),
    ],
    ids=[
        "empty", "space", "open", "truncated", "words", "no value", "single quotes", "bom", "nul", "trailing", "cut",
        "bad utf-8", "bad utf-8 in an unknown field", "lone surrogate", "NaN", "leading zero", "depth 65",
        "depth 1000", "2 M brackets", "100 k objects", "deep metadata",
    ],
)  # fmt: skip
async def test_what_is_not_json_is_400(body: bytes) -> None:
    answer = await send(body)

    assert (answer.status, answer.code) == (400, "invalid_json"), answer.body


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (b"{}", "missing_required_parameter", "model"),
        (b"[]", "invalid_type", None),
        (b"null", "invalid_type", None),
        (b'"text"', "invalid_type", None),
        (b'{"model": "m"}', "missing_required_parameter", "messages"),
        (chat(model=5), "invalid_type", "model"),
        (chat(model=None), "invalid_type", "model"),
        (chat(model=""), "invalid_value", "model"),
        (chat(model="m" * 1_000_000), "invalid_value", "model"),
        (chat(messages=[]), "invalid_value", "messages"),
        (chat(messages="hi"), "invalid_type", "messages"),
        (chat(messages=[{"content": "x"}]), "missing_required_parameter", "messages.0.role"),
        (chat(messages=[*CHAT["messages"], {"role": "alien", "content": "x"}]), "invalid_value", "messages.1.role"),
        (chat(messages=[{"role": "user", "content": 7}]), "invalid_type", "messages.0.content"),
        (chat(temperature=3), "invalid_value", "temperature"),
        (chat(top_logprobs=21), "invalid_value", "top_logprobs"),
        (chat(n=0), "invalid_value", "n"),
        (chat(tools=[{"type": "function", "function": {}}]), "missing_required_parameter", "tools.0.function.name"),
        (chat(response_format={"type": 5}), "invalid_type", "response_format.type"),
        (raw(b'"seed": ' + b"9" * 400_000), "invalid_value", "seed"),
    ],
)
async def test_what_is_no_chat_request_says_where(body: bytes, code: str, param: str | None) -> None:
    answer = await send(body)

    assert (answer.status, answer.code, answer.error["param"]) == (400, code, param), answer.body
    assert answer.error["message"].endswith(".")
    assert "`" not in answer.error["message"]


async def test_a_number_out_of_range_is_400() -> None:
    assert (await send(raw(b'"temperature": 1e999'))).status == 400


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": None, "stop": None, "tools": None}, {"unknown_field": {"a": [1, {"b": None}]}},
        {"messages": [{"role": "user", "content": None}]}, {"stream_options": {"include_usage": True}},
        {"messages": [{"role": "user", "content": "\u202e\u200b"}]}, {"max_tokens": 5, "max_completion_tokens": 6},
    ],
)  # fmt: skip
async def test_what_clients_really_send_is_accepted(fields: dict[str, Any]) -> None:
    http = await Harness.make()

    assert (await http.chat(**fields)).status == 200


async def test_unknown_fields_survive_and_of_duplicates_the_last_holds_for_policy_and_provider_alike() -> None:
    http = await Harness.make()
    body = b'{"model":"cheap","x":{"deep":[1]},"messages":[{"role":"user","content":"hi"}],"model":"dear"}'

    await http.client().request("POST", "/v1/chat/completions", (AUTH,), body)

    payload = http.pipeline.calls[0].payload
    assert payload.value.model == "dear"
    assert bytes(payload.fields["model"]) == b'"dear"'
    assert bytes(payload.fields["x"]) == b'{"deep":[1]}'
    assert payload.size_bytes == len(body)


@pytest.mark.slow
async def test_a_million_keys_are_only_slow_not_fatal() -> None:
    fields = ",".join(f'"k{n}":1' for n in range(1_000_000)).encode()

    assert (await send(raw(fields))).status == 200


async def test_a_known_slip_is_mended_and_what_is_mended_is_what_is_forwarded() -> None:
    http = await Harness.make()

    assert (await http.chat(temperature="0.5")).status == 200

    payload = http.pipeline.calls[0].payload
    assert payload.value.temperature == 0.5
    assert bytes(payload.fields["temperature"]) == b"0.5"


async def test_a_slip_that_is_mended_to_something_wrong_is_still_wrong() -> None:
    answer = await send(chat(temperature="9"))

    assert (answer.status, answer.code, answer.error["param"]) == (400, "invalid_value", "temperature")
