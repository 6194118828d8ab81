"""Google's API passed on: what is sent, what is left out, and signatures that are not Google's."""

import json
from typing import Any

import msgspec
import pytest

from adapters.dialects.gemini.contents import FOREIGN_SIGNATURE
from adapters.dialects.gemini.native import GeminiContent, GeminiEmbedding, GeminiTokenCount, own_contents
from adapters.ingress.gemini.parts import signature_of
from adapters.wire.call import DialectCall
from adapters.wire.signatures import Sealed
from domain.errors import UpstreamFailure
from domain.generate_content import EmbedContentRequest, GenerateContentRequest
from domain.payload import Payload

OURS = signature_of(Sealed([{"type": "thinking"}]))
HI: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


def call(request: Any, model: str = "gemini-3-pro", *, strict: bool = False, **fields: Any) -> DialectCall[Any]:
    body = msgspec.json.encode({"model": "client/name", **fields})
    raw = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    return DialectCall(Payload(msgspec.json.decode(body, type=request), raw), model, None, lambda: 0.0, strict=strict)


def content(**fields: Any) -> DialectCall[Any]:
    return call(GenerateContentRequest, **{**HI, **fields})


def test_a_request_goes_on_but_for_what_is_the_gateways_or_names_a_destination() -> None:
    """S-07."""
    asked = {"stream": True, "models": ["b"], "api_base": "https://evil.example", "newField": {"a": 1}, "labels": None}
    encoded = GeminiContent(drop=("safetySettings",)).encode(content(**asked, safetySettings=[{"a": 1}]), stream=True)

    assert json.loads(encoded.body) == {**HI, "newField": {"a": 1}}
    assert encoded.dropped == ("api_base", "safetySettings")


@pytest.mark.parametrize(
    ("model", "given", "sent"),
    [
        ("gemini-3-pro", {"functionCall": {"name": "f"}, "thoughtSignature": "AbCd"}, "AbCd"),
        ("gemini-3-pro", {"functionCall": {"name": "f"}}, FOREIGN_SIGNATURE),
        ("gemini-3-pro", {"functionCall": {"name": "f"}, "thoughtSignature": OURS}, FOREIGN_SIGNATURE),
        ("gemini-2.5-flash", {"functionCall": {"name": "f"}, "thoughtSignature": OURS}, None),
        ("gemini-2.5-flash", {"functionCall": {"name": "f"}}, None),
    ],
)
def test_google_is_sent_its_own_signatures_and_a_word_for_others(model: str, given: Any, sent: str | None) -> None:
    contents = msgspec.Raw(json.dumps([{"role": "model", "parts": [given]}]).encode())

    (part,) = json.loads(bytes(own_contents(contents, model)))[0]["parts"]

    assert part.get("thoughtSignature") == sent


def test_a_part_that_only_carried_our_signature_is_left_out() -> None:
    parts = [{"text": "a"}, {"text": "", "thoughtSignature": OURS}]
    contents = msgspec.Raw(json.dumps([{"role": "model", "parts": parts}]).encode())

    assert json.loads(bytes(own_contents(contents, "gemini-3-pro")))[0]["parts"] == [{"text": "a"}]


def test_contents_without_any_stay_the_same_object() -> None:
    contents = msgspec.Raw(json.dumps(HI["contents"]).encode())

    assert own_contents(contents, "gemini-3-pro") is contents


def test_an_answer_keeps_its_bytes_and_tells_its_usage() -> None:
    body = (
        b'{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP","new":1}],'
        b'"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"thoughtsTokenCount":1}}'
    )

    answer = GeminiContent().read(body, content(), "application/json")

    assert answer.body == body
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (3, 3)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"{}",
        b'{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}',
        b'{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL"}]}',
    ],
)
def test_what_is_no_answer_is_a_failure(body: bytes) -> None:
    with pytest.raises(UpstreamFailure):
        GeminiContent().read(body, content(), "application/json")


def test_a_stream_ends_with_the_event_that_says_why_which_is_held_back() -> None:
    """R-08."""
    said = b'data: {"candidates":[{"content":{"parts":[{"text":"a"}]}}]}\r\n\r\n'
    ended = b'data: {"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3}}\r\n\r\n'
    whole, cut = GeminiContent().decoder(content(), ""), GeminiContent().decoder(content(), "")

    passed = whole.feed(said) + whole.feed(ended) + whole.finish()
    cut.feed(said)
    cut.finish()

    assert passed == said.replace(b"\r", b"")
    assert (whole.done, whole.ending) == (True, ended.replace(b"\r", b""))
    assert (cut.done, cut.failure is not None) == (False, True)


def test_a_count_is_of_the_whole_request_and_no_use_of_the_model() -> None:
    asked = content(systemInstruction={"parts": [{"text": "b"}]})
    sent = json.loads(GeminiTokenCount().encode(asked, stream=False).body)["generateContentRequest"]
    answer = GeminiTokenCount().read(b'{"totalTokens":3}', asked, "application/json")

    assert (sent["model"], sent["systemInstruction"]) == ("models/gemini-3-pro", {"parts": [{"text": "b"}]})
    assert answer.usage is not None
    assert answer.usage.input_tokens == 0


@pytest.mark.parametrize("batch", [True, False])
def test_embeddings_are_asked_for_as_a_batch_and_answered_as_asked(batch: bool) -> None:
    one = {"content": {"parts": [{"text": "a"}]}, "taskType": "RETRIEVAL_QUERY"}
    asked = call(EmbedContentRequest, **({"requests": [{"model": "models/client", **one}]} if batch else one))

    sent = json.loads(GeminiEmbedding().encode(asked, stream=False).body)
    answer = json.loads(GeminiEmbedding().read(b'{"embeddings":[{"values":[0.5]}]}', asked, "application/json").body)

    assert sent == {"requests": [{**one, "model": "models/gemini-3-pro"}]}
    assert answer == ({"embeddings": [{"values": [0.5]}]} if batch else {"embedding": {"values": [0.5]}})
