"""What an upstream is sent: the client's own bytes but for what the quirks name."""

import json
import sys
from typing import Any

import msgspec
import pytest

from adapters.dialects.openai.params import CHAT_PARAMS, chat_fidelity
from adapters.dialects.openai.quirks import Quirks
from adapters.dialects.openai.request import RequestEncoder
from adapters.wire.sift import NEVER_FORWARDED
from domain.chat import ChatRequest
from domain.payload import Payload
from tests.builders import a_chat_payload


def encode(
    payload: Payload[ChatRequest], quirks: Quirks | None = None, *, stream: bool = False
) -> tuple[dict[str, Any], tuple[str, ...]]:
    body, dropped = RequestEncoder(quirks or Quirks()).encode(payload, "theirs", stream=stream)
    sent: dict[str, Any] = json.loads(body)
    return sent, dropped


def test_unknown_fields_and_zeroes_survive() -> None:
    sent, dropped = encode(a_chat_payload(temperature=0, top_p=0, top_k=5, extra_body={"google": {"a": [1]}}))

    assert sent == {
        "model": "theirs",
        "messages": [{"role": "user", "content": "hi"}],
        "temperature": 0,
        "top_p": 0,
        "top_k": 5,
        "extra_body": {"google": {"a": [1]}},
    }
    assert dropped == ()


def test_nested_bytes_are_forwarded_as_they_came() -> None:
    body = b'{"model":"m","messages":[ {"role":"user","content":"\\u00fc  1.0"} ],"big":1e400,"n2":1.50}'
    fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])

    sent, _ = RequestEncoder(Quirks()).encode(
        Payload(msgspec.json.decode(body, type=ChatRequest), fields), "x", stream=False
    )

    for part in (b'[ {"role":"user","content":"\\u00fc  1.0"} ]', b"1e400", b"1.50"):
        assert part in sent


def test_a_duplicated_key_says_one_thing_to_policy_and_upstream() -> None:
    body = b'{"model":"a","messages":[{"role":"user","content":"x"}],"n":1,"n":2}'
    payload = Payload(
        msgspec.json.decode(body, type=ChatRequest), msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    )

    sent, _ = encode(payload)

    assert sent["n"] == payload.value.n == 2


def test_the_gateways_own_fields_nulls_and_overrides_are_never_forwarded() -> None:
    """S-07: a body chooses neither a destination nor a credential."""
    own = {"models": ["b"], "provider": {"only": ["x"]}, "task": "code", "priority": "cost", "latency": "low"}
    overrides = dict.fromkeys(NEVER_FORWARDED, "https://evil.example")

    sent, dropped = encode(a_chat_payload(**own, **overrides, seed=None, stop=None, tools=None, user=None))

    assert set(sent) == {"model", "messages"}
    assert set(dropped) == NEVER_FORWARDED


def test_empty_tools_and_stops_and_what_depends_on_tools_are_left_out() -> None:
    sent, dropped = encode(a_chat_payload(tools=[], stop=[], tool_choice="auto", parallel_tool_calls=True))

    assert set(sent) == {"model", "messages"}
    assert dropped == ()


def test_tools_keep_their_choice() -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"$schema": "s"}}}]

    sent, _ = encode(a_chat_payload(tools=tools, tool_choice="required", parallel_tool_calls=False))

    assert (sent["tools"], sent["tool_choice"], sent["parallel_tool_calls"]) == (tools, "required", False)


@pytest.mark.parametrize(
    ("known", "given", "sent"),
    [
        (None, {"max_tokens": 5}, {"max_tokens": 5}),
        (None, {"max_completion_tokens": 5}, {"max_completion_tokens": 5}),
        (None, {"max_tokens": 5, "max_completion_tokens": 5}, {"max_completion_tokens": 5}),
        ("max_tokens", {"max_completion_tokens": 5}, {"max_tokens": 5}),
        ("max_tokens", {"max_tokens": 6, "max_completion_tokens": 5}, {"max_tokens": 6}),
        ("max_completion_tokens", {"max_tokens": 5}, {"max_completion_tokens": 5}),
        ("max_completion_tokens", {"max_tokens": 6, "max_completion_tokens": 5}, {"max_completion_tokens": 5}),
    ],
)
def test_the_token_limit_goes_by_the_name_the_upstream_knows(
    known: str | None, given: dict[str, int], sent: dict[str, int]
) -> None:
    quirks = Quirks(max_tokens_field=known)  # type: ignore[arg-type]  # parametrized literals are plain texts

    body, dropped = encode(a_chat_payload(**given), quirks)

    assert {name: value for name, value in body.items() if name.startswith("max_")} == sent
    assert bool(dropped) is (len(set(given.values())) > 1)


def test_what_is_dropped_is_reported_unless_it_said_nothing() -> None:
    quirks = Quirks(drop=frozenset({"logit_bias", "n", "seed", "user", "store"}))

    sent, dropped = encode(a_chat_payload(logit_bias={"5": 1}, n=1, seed=4, user=None, store=False), quirks)

    assert set(sent) == {"model", "messages"}
    assert dropped == ("logit_bias", "seed")


def test_an_operator_can_drop_more() -> None:
    body, dropped = RequestEncoder(Quirks(), ["top_k"]).encode(a_chat_payload(top_k=1), "x", stream=False)

    assert b"top_k" not in body
    assert dropped == ("top_k",)


def test_names_and_values_are_mapped_by_data() -> None:
    quirks = Quirks(rename={"seed": "random_seed"}, rewrite={"tool_choice": {'"required"': '"auto"', "{": '"auto"'}})
    tools = [{"type": "function", "function": {"name": "f"}}]
    named = {"type": "function", "function": {"name": "f"}}

    sent, dropped = encode(a_chat_payload(seed=4, tools=tools, tool_choice="required"), quirks)
    assert (sent["random_seed"], sent["tool_choice"], dropped) == (4, "auto", ("tool_choice",))
    assert encode(a_chat_payload(tools=tools, tool_choice=named), quirks)[0]["tool_choice"] == "auto"
    assert encode(a_chat_payload(tools=tools, tool_choice="none"), quirks)[0]["tool_choice"] == "none"


def test_usage_is_always_asked_of_a_stream_and_other_options_are_kept() -> None:
    """R-22."""
    sent, _ = encode(a_chat_payload(), stream=True)
    assert (sent["stream"], sent["stream_options"]) == (True, {"include_usage": True})

    options = {"include_usage": False, "include_obfuscation": False}
    sent, _ = encode(a_chat_payload(stream=True, stream_options=options), stream=True)
    assert sent["stream_options"] == {"include_usage": True, "include_obfuscation": False}

    sent, _ = encode(a_chat_payload(stream_options=options), Quirks(stream_usage=False), stream=True)
    assert "stream_options" not in sent


def test_a_plain_call_says_nothing_of_streams() -> None:
    sent, _ = encode(a_chat_payload(stream=False, stream_options={"include_usage": True}))

    assert set(sent) == {"model", "messages"}


def test_developer_messages_become_system_ones_where_they_must() -> None:
    messages = [{"role": "developer", "content": "a"}, {"role": "user", "content": "developer"}]
    payload = a_chat_payload(messages=messages)

    assert encode(payload)[0]["messages"] == [{"role": "system", "content": "a"}, messages[1]]
    assert encode(payload, Quirks(developer_role=True))[0]["messages"] == messages


def test_reasoning_in_the_history_goes_only_to_those_who_take_it() -> None:
    messages = [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": "y", "reasoning_content": "hm", "reasoning_details": [1]},
    ]
    payload = a_chat_payload(messages=messages)

    sent, dropped = encode(payload, Quirks(message_fields=frozenset({"reasoning_content"})))

    assert sent["messages"] == [messages[0], {"role": "assistant", "content": "y", "reasoning_content": "hm"}]
    assert dropped == ("messages.reasoning_details",)


def test_names_on_messages_are_dropped_where_they_are_refused() -> None:
    payload = a_chat_payload(messages=[{"role": "user", "content": "x", "name": "eve"}])

    sent, dropped = encode(payload, Quirks(message_names=False))

    assert sent["messages"] == [{"role": "user", "content": "x"}]
    assert dropped == ("messages.name",)


def test_the_published_table_says_what_the_encoder_does() -> None:
    quirks = Quirks(
        max_tokens_field="max_tokens",
        drop=frozenset({"seed"}),
        refused=frozenset({"n"}),
        rewrite={"tool_choice": {}},
        stream_usage=False,
    )
    table = {name: cell.support for name, cell in chat_fidelity(quirks).items()}

    assert set(table) == set(CHAT_PARAMS)
    assert {"messages", "model", "provider", "task"}.isdisjoint(table)
    assert (table["seed"], table["n"], table["tool_choice"]) == ("dropped", "refused", "mapped")
    assert (table["max_tokens"], table["max_completion_tokens"], table["stream_options"]) == (
        "honored",
        "mapped",
        "mapped",
    )
    assert chat_fidelity(Quirks())["temperature"].support == "honored"


def carried(model: str, quirks: Quirks, api: str = "messages", **fields: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What is sent of a chat that was made of a request of another API."""
    sent = msgspec.json.encode({"model": "m", "messages": [{"role": "user", "content": "hi"}]} | fields)
    chat = Payload(
        msgspec.json.decode(sent, type=ChatRequest), msgspec.json.decode(sent, type=dict[str, msgspec.Raw]), len(sent)
    )
    body, dropped = RequestEncoder(quirks).encode(chat, model, stream=False, carried_from=api)
    return json.loads(body), dropped


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        ("gpt-5.5", "max", "xhigh"),
        ("openai/gpt-5.5", "xhigh", "xhigh"),
        ("openai/gpt-oss-120b", "max", "high"),
        ("o4-mini", "low", "low"),
        ("google/gemini-2.5-pro", "xhigh", "high"),
        ("anthropic.claude-opus-5", "max", "max"),
        ("us.anthropic.claude-opus-5", "high", "high"),
        ("llama-4-scout", "high", None),
        ("gpt-4o", "high", None),
    ],
)
def test_effort_of_a_message_goes_to_models_that_know_it(model: str, effort: str, sent: str | None) -> None:
    body, dropped = carried(model, Quirks(), reasoning_effort=effort)

    assert body.get("reasoning_effort") == sent
    assert dropped == (() if sent else ("reasoning_effort",))


def test_effort_of_a_response_is_sent_as_it_came() -> None:
    body, dropped = carried("m", Quirks(), "responses", reasoning_effort="high")

    assert (body["reasoning_effort"], dropped) == ("high", ())


def test_what_openai_takes_less_of_is_cut_and_told_for_carried_chats_alone() -> None:
    asked: dict[str, Any] = {"stop": list("abcdef"), "top_k": 7, "user": "u" * 129}

    body, dropped = carried("m", Quirks(), **asked)
    own, none = carried("m", Quirks(), "", **asked)

    assert body["stop"] == list("abcd")
    assert "top_k" not in body
    assert "user" not in body
    assert dropped == ("stop", "top_k", "user")
    assert {name: own[name] for name in asked} == asked
    assert none == ()


def test_an_upstream_that_takes_more_than_openai_gets_it() -> None:
    body, dropped = carried("m", Quirks(own_params=frozenset({"top_k"}), max_stops=None), stop=list("abcdef"), top_k=7)

    assert (body["stop"], body["top_k"], dropped) == (list("abcdef"), 7, ())


def test_of_a_large_body_only_what_is_sent_is_kept() -> None:
    """As it came, as text and as it was sent would be three times its size while the provider thinks."""
    message = {"role": "user", "content": "x" * 2_000_000}
    body = json.dumps({"model": "ours", "messages": [message], "metadata": {"a": "b"}, "model_hint": [1]}).encode()
    unheld = sys.getrefcount(body)
    fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    payload = Payload(msgspec.json.decode(body, type=ChatRequest), fields, len(body))
    encoder = RequestEncoder(Quirks())

    first, _ = encoder.encode(payload, "theirs", stream=False)
    held_after_the_first = sys.getrefcount(body) - unheld
    again, _ = encoder.encode(payload, "theirs", stream=False)

    assert held_after_the_first == 0
    assert first == again
    assert json.loads(again) == json.loads(body) | {"model": "theirs"}
    assert bytes(payload.fields["model"]) == b'"ours"'


def test_a_large_body_whose_messages_were_edited_is_encoded_again_from_what_came() -> None:
    messages = [{"role": "developer", "content": "be kind"}, {"role": "user", "content": "x" * 2_000_000}]
    body = json.dumps({"model": "ours", "messages": messages}).encode()
    fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    payload = Payload(msgspec.json.decode(body, type=ChatRequest), fields, len(body))

    RequestEncoder(Quirks(developer_role=False)).encode(payload, "theirs", stream=False)
    unedited, _ = RequestEncoder(Quirks(developer_role=True)).encode(payload, "theirs", stream=False)

    assert json.loads(unedited)["messages"] == messages
