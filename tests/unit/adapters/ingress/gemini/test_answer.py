"""A chat's answers as Google's; streams are held to the grammar in the contract tests."""

import json
from typing import Any

import pytest

from adapters.ingress.gemini.answer import as_generated
from adapters.ingress.gemini.parts import sealed_in
from domain.errors import UpstreamFailure
from domain.usage import TokenUsage

USAGE = TokenUsage(10, 7, cache_read_tokens=4, reasoning_tokens=3)


def candidate(*, thoughts: bool = True, finish: str = "stop", logprobs: Any = None, **message: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": logprobs}
    body = json.dumps({"id": "chatcmpl-1", "model": "m", "choices": [choice]}).encode()
    answer: dict[str, Any] = json.loads(as_generated(body, "m", USAGE, thoughts=thoughts))
    assert (answer["modelVersion"], answer["responseId"]) == ("m", "1")
    made: dict[str, Any] = answer["candidates"][0]
    return made


def test_usage_leaves_thoughts_out_of_the_candidates() -> None:
    body = b'{"id":"chatcmpl-1","choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"}]}'

    assert json.loads(as_generated(body, "m", USAGE, thoughts=False))["usageMetadata"] == {
        "promptTokenCount": 10,
        "candidatesTokenCount": 4,
        "totalTokenCount": 17,
        "cachedContentTokenCount": 4,
        "thoughtsTokenCount": 3,
    }


@pytest.mark.parametrize(
    ("finish", "shown"),
    [("stop", "STOP"), ("tool_calls", "STOP"), ("length", "MAX_TOKENS"), ("content_filter", "SAFETY"), ("", "STOP")],
)
def test_each_finish_reason_has_googles_word(finish: str, shown: str) -> None:
    assert candidate(finish=finish, content="a")["finishReason"] == shown


def test_a_refusal_is_a_text_that_safety_ended() -> None:
    made = candidate(refusal="No.")

    assert (made["content"]["parts"], made["finishReason"]) == ([{"text": "No."}], "SAFETY")


def test_thoughts_are_shown_to_those_who_ask_for_them_alone() -> None:
    shown = candidate(content="a", reasoning_content="hm")["content"]["parts"]
    kept = candidate(thoughts=False, content="a", reasoning_content="hm")["content"]["parts"]

    assert shown == [{"text": "hm", "thought": True}, {"text": "a"}]
    assert kept == [{"text": "a"}]


@pytest.mark.parametrize(("arguments", "args"), [('{"a":1}', {"a": 1}), ("", {}), ("{", {"INVALID_JSON": "{"})])
def test_arguments_are_always_an_object(arguments: str, args: Any) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}

    (part,) = candidate(tool_calls=[call])["content"]["parts"]

    assert part == {"functionCall": {"id": "c", "name": "f", "args": args}}


def test_what_a_provider_wants_back_hangs_on_its_call_or_comes_last() -> None:
    google = {"google": {"thought_signature": "AbCd"}}
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    block = {"type": "thinking", "thinking": "t", "signature": "s"}

    (own,) = candidate(tool_calls=[{**call, "extra_content": google}])["content"]["parts"]
    (hung,) = candidate(tool_calls=[call], thinking_blocks=[block])["content"]["parts"]
    said, last = candidate(content="a", thinking_blocks=[block])["content"]["parts"]

    assert own["thoughtSignature"] == "AbCd"
    for part in (hung, last):
        sealed = sealed_in(part["thoughtSignature"])
        assert sealed is not None
        assert sealed.thinking_blocks == [block]
    assert (said, last["text"]) == ({"text": "a"}, "")


def test_pictures_sound_pages_and_logprobs_have_their_places() -> None:
    page = {"type": "url_citation", "url_citation": {"url": "https://a.example", "title": "A"}}
    token = {"token": "a", "logprob": -0.5, "top_logprobs": [{"token": "b", "logprob": -1.0}]}
    made = candidate(
        content="a",
        images=[{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}],
        audio={"data": "AAAA"},
        annotations=[page],
        logprobs={"content": [token]},
    )

    assert made["content"]["parts"][1:] == [
        {"inlineData": {"mimeType": "image/png", "data": "AA=="}},
        {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}},
    ]
    assert made["groundingMetadata"] == {"groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}]}
    assert made["logprobsResult"]["chosenCandidates"] == [{"token": "a", "logProbability": -0.5}]


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"choices":[]}'])
def test_what_is_no_answer_is_a_failure(body: bytes) -> None:
    with pytest.raises(UpstreamFailure):
        as_generated(body, "m", USAGE, thoughts=False)
