"""Whole answers out of streams, with events as providers send them."""

from typing import Any

import msgspec
import pytest

from adapters.gathering.endpoints import EndpointGatherers


def events(*objects: dict[str, Any]) -> bytes:
    return b"".join([b"event: x\ndata: " + msgspec.json.encode(each) + b"\n\n" for each in objects])


def gathered(endpoint: str, *objects: dict[str, Any], cut: bool = False) -> dict[str, Any]:
    gatherer = EndpointGatherers().of(endpoint)
    gatherer.add(b": ping\n\n")
    for each in objects:
        gatherer.add(events(each))
    gatherer.add(b"data: [DONE]\n\n")
    answer: dict[str, Any] = msgspec.json.decode(gatherer.answer(cut=cut))
    return answer


def chunk(*choices: dict[str, Any], **more: Any) -> dict[str, Any]:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return head | {"choices": list(choices)} | more


def delta(index: int = 0, finish_reason: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"index": index, "delta": fields, "finish_reason": finish_reason}


USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def test_chunks_of_a_chat_make_the_answer_that_would_have_come_whole() -> None:
    answer = gathered(
        "chat.completions",
        chunk(delta(role="assistant", content=""), system_fingerprint="fp_1", obfuscation="aXs"),
        chunk(delta(reasoning_content="hm", content=None)),
        chunk(delta(content="Hel", annotations=[{"type": "url_citation"}])),
        chunk({**delta(content="lo"), "logprobs": {"content": [{"token": "lo"}], "refusal": None}}),
        chunk(delta(finish_reason="stop")),
        chunk(usage=USAGE, service_tier="default"),
    )

    assert answer == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "system_fingerprint": "fp_1",
        "service_tier": "default",
        "usage": USAGE,
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Hello",
                    "reasoning_content": "hm",
                    "annotations": [{"type": "url_citation"}],
                },
                "logprobs": {"content": [{"token": "lo"}], "refusal": None},
                "finish_reason": "stop",
            }
        ],
    }


def test_calls_of_tools_are_put_together_by_their_place_and_answers_by_theirs() -> None:
    def call(index: int, **fields: Any) -> dict[str, Any]:
        return {"index": index} | fields

    answer = gathered(
        "chat.completions",
        chunk(delta(role="assistant", content=None), delta(1, role="assistant", content="b")),
        chunk(delta(tool_calls=[call(0, id="c0", type="function", function={"name": "f", "arguments": ""})])),
        chunk(delta(tool_calls=[call(0, id="c0", function={"name": "f", "arguments": '{"a":'})])),
        chunk(delta(tool_calls=[call(1, id="c1", type="function", function={"name": "g", "arguments": "{}"})])),
        chunk(delta(tool_calls=[call(0, function={"arguments": "1}"})])),
        chunk(delta(finish_reason="tool_calls"), delta(1, "stop")),
    )

    first, second = answer["choices"]
    assert first["message"]["tool_calls"] == [
        {"id": "c0", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
        {"id": "c1", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]
    assert (first["finish_reason"], second["finish_reason"]) == ("tool_calls", "stop")
    assert second["message"] == {"role": "assistant", "content": "b"}


@pytest.mark.parametrize("come", [(), (chunk(delta(role="assistant", content="so far")),)])
def test_a_chat_that_was_cut_ended_by_its_length(come: tuple[dict[str, Any], ...]) -> None:
    (choice,) = gathered("chat.completions", *come, cut=True)["choices"]

    assert choice["finish_reason"] == "length"
    assert choice["message"] == {"role": "assistant", "content": "so far" if come else None}


def test_chunks_of_a_completion_make_its_text() -> None:
    def piece(text: str, finish_reason: str | None = None, **more: Any) -> dict[str, Any]:
        choice = {"index": 0, "text": text, "logprobs": {"tokens": [text]}, "finish_reason": finish_reason}
        return {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m", "choices": [choice]} | more

    answer = gathered("completions", piece("a"), piece("b", "stop"), {"choices": [], "usage": USAGE})

    assert answer["object"] == "text_completion"
    assert answer["choices"] == [
        {"text": "ab", "index": 0, "logprobs": {"tokens": ["a", "b"]}, "finish_reason": "stop"}
    ]
    assert answer["usage"] == USAGE


MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {"input_tokens": 9, "output_tokens": 1},
}
PARTS = (
    {"type": "message_start", "message": MESSAGE},
    {"type": "ping"},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "EqQB"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hel"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "lo"}},
    {"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "t", "name": "f",
                                                                  "input": {}}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"a":'}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "1}"}},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None},
     "usage": {"output_tokens": 15}},
    {"type": "message_stop"},
)  # fmt: skip
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "EqQB"}
SAID = {"type": "text", "text": "Hello"}


def test_events_of_a_message_make_the_message() -> None:
    called = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}

    assert gathered("messages", *PARTS) == MESSAGE | {
        "content": [THOUGHT, SAID, called],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 9, "output_tokens": 15},
    }


def test_a_message_that_was_cut_has_no_call_of_a_tool_that_is_not_whole() -> None:
    answer = gathered("messages", *PARTS[:11], cut=True)

    assert answer["content"] == [THOUGHT, SAID]
    assert answer["stop_reason"] == "max_tokens"
    assert answer["usage"] == MESSAGE["usage"]


ITEM = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
WHOLE_ITEM = ITEM | {"status": "completed", "content": [{"type": "output_text", "text": "Hi", "annotations": []}]}
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "status": "in_progress",
    "output": [],
    "incomplete_details": None,
}
STEPS = (
    {"type": "response.created", "response": RESPONSE},
    {"type": "response.output_item.added", "output_index": 0, "item": {"id": "rs_1", "type": "reasoning"}},
    {"type": "response.output_item.done", "output_index": 0, "item": {"id": "rs_1", "type": "reasoning"}},
    {"type": "response.output_item.added", "output_index": 1, "item": ITEM},
    {"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "delta": "H"},
    {"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "delta": "i"},
    {"type": "response.output_item.done", "output_index": 1, "item": WHOLE_ITEM},
)


def test_the_last_event_of_a_response_is_the_answer() -> None:
    whole = RESPONSE | {"status": "completed", "output": [WHOLE_ITEM]}

    assert gathered("responses", *STEPS, {"type": "response.completed", "response": whole}) == whole


def test_a_response_that_was_cut_is_incomplete_with_what_had_come() -> None:
    answer = gathered("responses", *STEPS[:5], cut=True)

    assert (answer["status"], answer["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    reasoning, message = answer["output"]
    assert reasoning["id"] == "rs_1"
    assert message["content"] == [{"type": "output_text", "text": "H", "annotations": [], "logprobs": []}]


def test_endpoints_without_a_text_are_not_gathered() -> None:
    gatherers = EndpointGatherers()

    assert not gatherers.knows("images.generations")
    assert not gatherers.knows("embeddings")


def part(*parts: dict[str, Any], **candidate: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"role": "model", "parts": list(parts)}, "index": 0} | candidate]}


@pytest.mark.parametrize("cut", [False, True])
def test_events_of_googles_make_the_answer_that_would_have_come_whole(cut: bool) -> None:
    call = {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "AbCd"}
    said = [
        part({"text": "h", "thought": True}),
        part({"text": "m", "thought": True}),
        part({"text": "Hel"}),
        part({"text": "lo"}, call),
    ]
    end = part({"text": ""}, finishReason="STOP") | {"usageMetadata": {"promptTokenCount": 3}, "responseId": "r"}

    answer = gathered("models.generate_content", *said, *([] if cut else [end]), cut=cut)

    (candidate,) = answer["candidates"]
    assert candidate["content"]["parts"] == [{"text": "hm", "thought": True}, {"text": "Hello"}, call]
    assert candidate["finishReason"] == ("MAX_TOKENS" if cut else "STOP")
    assert ("usageMetadata" in answer) is not cut
