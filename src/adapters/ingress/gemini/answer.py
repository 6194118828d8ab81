"""A chat's answer as Google writes one: text, thoughts and calls as parts, with what others want back as a signature.

    {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}
    {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]}, "finishReason": "STOP", "index": 0}]}

Source: google-genai 3.6 types and wire facts on Gemini, section 3 (November 2026): calls end with `STOP`; thoughts are
counted apart.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from adapters.ingress.gemini.parts import signature_of
from adapters.wire.errors import unreadable
from adapters.wire.files import read_data_url
from adapters.wire.raw_json import UNDECODABLE, TolerantDecoder
from adapters.wire.signatures import Sealed, joined_details
from domain.usage import TokenUsage

_FINISH: Final = {"length": "MAX_TOKENS", "content_filter": "SAFETY"}

Part = dict[str, object]


class CalledFunction(msgspec.Struct):
    name: str = ""
    arguments: str = ""


class Call(msgspec.Struct):
    """A call of a function, its arguments as JSON text."""

    id: str = ""
    function: CalledFunction | None = None
    extra_content: msgspec.Raw | UnsetType = UNSET  # Gemini's signature


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[Call] | None = None
    reasoning_content: object = None
    reasoning: object = None
    thinking_blocks: list[Any] | None = None
    reasoning_details: list[Any] | None = None
    images: list[Any] | None = None
    audio: Any = None
    annotations: list[Any] | None = None


class _Choice(msgspec.Struct):
    message: _Message
    index: int = 0
    finish_reason: str | None = None
    logprobs: Any = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    id: str = ""
    model: str = ""


NO_FUNCTION: Final = CalledFunction()

_decode = TolerantDecoder(_Completion)
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


def as_generated(body: bytes, model: str, usage: TokenUsage, *, thoughts: bool) -> bytes:
    """The answer a client gets. `usage` is the provider's count or an estimate; without `thoughts` none are shown.

    Raises `UpstreamFailure` for what is no chat completion.
    """
    try:
        completion = _decode(body)
    except UNDECODABLE:
        raise unreadable(body, None) from None
    if not completion.choices:
        raise unreadable(body, None)
    candidates = [_candidate(choice, thoughts=thoughts) for choice in completion.choices]
    return _encode(generated(candidates, model or completion.model, response_id(completion.id), usage))


def generated(
    candidates: Sequence[Mapping[str, object]], model: str, answer_id: str, usage: TokenUsage | None = None
) -> dict[str, object]:
    """An answer, or a chunk of one. Usage is left out where there is none yet."""
    made: dict[str, object] = {"candidates": candidates}
    if usage is not None:
        made["usageMetadata"] = usage_metadata(usage)
    return made | {"modelVersion": model, "responseId": answer_id}


def response_id(chat_id: str) -> str:
    """A chat's id as Google's answers have them."""
    return chat_id.removeprefix("chatcmpl-") or "0"


def finish_reason(reason: str | None, *, refused: bool = False) -> str:
    """Calls end as anything else does; the calls themselves say that they are there."""
    found = _FINISH.get(reason or "", "STOP")
    return "SAFETY" if refused and found == "STOP" else found


def usage_metadata(usage: TokenUsage) -> dict[str, int]:
    """Usage as Google counts it. What is none of it is left out, as there."""
    thoughts = min(usage.reasoning_tokens, usage.output_tokens)
    counts = {
        "promptTokenCount": usage.input_tokens,
        "candidatesTokenCount": usage.output_tokens - thoughts,
        "totalTokenCount": usage.input_tokens + usage.output_tokens,
    }
    further = {"cachedContentTokenCount": usage.cache_read_tokens, "thoughtsTokenCount": thoughts}
    return counts | {name: count for name, count in further.items() if count}


def _candidate(choice: _Choice, *, thoughts: bool) -> dict[str, object]:
    message = choice.message
    parts: list[Part] = []
    reasoning = message.reasoning_content or message.reasoning
    if thoughts and isinstance(reasoning, str) and reasoning:
        parts.append({"text": reasoning, "thought": True})
    said = message.content or message.refusal
    if said:
        parts.append({"text": said})
    parts += shown_media(message.images or (), message.audio)
    parts += call_parts(message.tool_calls or ())
    parts = signed(parts, Sealed(message.thinking_blocks or [], joined_details(message.reasoning_details or ())))
    candidate: dict[str, object] = {
        "content": {"role": "model", "parts": parts},
        "finishReason": finish_reason(choice.finish_reason, refused=bool(message.refusal)),
        "index": choice.index,
    }
    if (grounding := grounding_metadata(message.annotations or ())) is not None:
        candidate["groundingMetadata"] = grounding
    if (logprobs := logprobs_result(choice.logprobs)) is not None:
        candidate["logprobsResult"] = logprobs
    return candidate


def call_parts(calls: Sequence[Call]) -> list[Part]:
    """Whole calls. A signature of Gemini's own stands where Gemini has it."""
    found: list[Part] = []
    for call in calls:
        function = call.function or NO_FUNCTION
        part: Part = {"functionCall": {"id": call.id, "name": function.name, "args": _arguments(function.arguments)}}
        signature = _own_signature(call.extra_content)
        if signature:
            part["thoughtSignature"] = signature
        found.append(part)
    return found


def signed(parts: list[Part], sealed: Sealed) -> list[Part]:
    """With what the provider wants back: on the first call that has no signature, else on a last part that is empty."""
    signature = signature_of(sealed)
    if signature is None:
        return parts
    for part in parts:
        if "functionCall" in part and "thoughtSignature" not in part:
            part["thoughtSignature"] = signature
            return parts
    return [*parts, {"text": "", "thoughtSignature": signature}]


def _own_signature(extra: msgspec.Raw | UnsetType) -> str | None:
    if isinstance(extra, UnsetType):
        return None
    try:
        google = _decode_object(extra).get("google")
    except UNDECODABLE:
        return None
    found = google.get("thought_signature") if isinstance(google, dict) else None
    return found if isinstance(found, str) else None


def _arguments(text: str) -> object:
    """Google's arguments are an object: what is none is shown as what it is, so that the model can be told."""
    if not text.strip():
        return {}
    try:
        return _decode_object(text)
    except UNDECODABLE:
        return {"INVALID_JSON": text}


def shown_media(images: Sequence[Any], audio: Any) -> list[Part]:
    """Pictures and sound that were made, as bytes; what is only an address, as that."""
    found: list[Part] = []
    for image in images:
        address = (image.get("image_url") or {}).get("url") if isinstance(image, dict) else None
        if not isinstance(address, str):
            continue
        try:
            held = read_data_url(address)
        except ValueError:
            continue
        if held is not None:
            found.append({"inlineData": {"mimeType": held.media_type, "data": held.base64}})
        else:
            found.append({"fileData": {"fileUri": address, "mimeType": "image/*"}})
    if isinstance(audio, dict) and audio.get("data"):
        found.append({"inlineData": {"mimeType": "audio/wav", "data": audio["data"]}})
    return found


def grounding_metadata(annotations: Sequence[Any]) -> dict[str, object] | None:
    """The pages that a searched answer rests on; None for none."""
    cited = [note.get("url_citation") for note in annotations if isinstance(note, dict)]
    pages = [{"uri": page.get("url"), "title": page.get("title") or ""} for page in cited if isinstance(page, dict)]
    return {"groundingChunks": [{"web": page} for page in pages if page["uri"]]} if pages else None


def logprobs_result(logprobs: Any) -> dict[str, object] | None:
    """A chat's as Google writes them; None for none."""
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not tokens:
        return None
    known = [token for token in tokens if isinstance(token, dict)]
    tops = [{"candidates": [_token(top) for top in token.get("top_logprobs") or ()]} for token in known]
    return {"chosenCandidates": [_token(token) for token in known], "topCandidates": tops}


def _token(token: Mapping[str, Any]) -> dict[str, object]:
    return {"token": token.get("token") or "", "logProbability": token.get("logprob")}
