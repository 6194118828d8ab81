"""Reads a whole answer of `generateContent` as OpenAI's chat completion."""

import msgspec

from adapters.dialects.gemini.answer import (
    FAILURES,
    NO_ERROR,
    Answer,
    Candidate,
    InlineData,
    citations,
    finish_reason,
    logprobs,
    token_usage,
)
from adapters.dialects.gemini.errors import ended_badly, told_failure
from adapters.dialects.gemini.made import audio, image, is_audio, tool_call
from adapters.wire.answer import PlainAnswer
from adapters.wire.call import WireCall
from adapters.wire.chat_answer import MadeMessage, chat_answer
from adapters.wire.errors import unreadable
from adapters.wire.undecodable import UNDECODABLE
from domain.chat import ChatRequest, FinishReason

decode_answer = msgspec.json.Decoder(Answer).decode


def read_chat(body: bytes, call: WireCall[ChatRequest]) -> PlainAnswer:
    """Raises `UpstreamFailure` for an error in a 200, for an end that is none, and for what is no answer."""
    try:
        answer = decode_answer(body)
    except UNDECODABLE:
        raise unreadable(body, call.secret) from None
    if answer.error != NO_ERROR:
        raise told_failure(bytes(answer.error), call)
    candidates = sorted(answer.candidates or (), key=lambda candidate: candidate.index)
    if candidates and all(candidate.finish_reason in FAILURES for candidate in candidates):
        raise ended_badly(candidates[0].finish_reason or "")
    if answer.blocked:
        choices: list[tuple[MadeMessage, FinishReason]] = [(MadeMessage(), "content_filter")]
    elif candidates:
        choices = [_choice(candidate, call) for candidate in candidates]
    else:
        raise unreadable(body, call.secret)
    return chat_answer(
        call,
        choices,
        token_usage(answer.usage_metadata),
        model=answer.model_version or "",
        answer_id=f"chatcmpl-{answer.response_id}" if answer.response_id else "",
    )


def _choice(candidate: Candidate, call: WireCall[ChatRequest]) -> tuple[MadeMessage, FinishReason]:
    parts = candidate.parts
    texts = [part.text for part in parts if part.text and not part.thought]
    calls = [made for part in parts if (made := tool_call(part)) is not None]
    shown = [part.inline_data for part in parts if part.inline_data is not None and not part.thought]
    message = MadeMessage(
        content="".join(texts) if texts else None,
        reasoning="".join(part.text for part in parts if part.text and part.thought),
        tool_calls=calls,
        annotations=citations(candidate.grounding_metadata),
        logprobs=logprobs(candidate.logprobs_result),
        extra=_media(shown, call),
    )
    return message, finish_reason(candidate.finish_reason or "STOP", called=bool(calls))


def _media(shown: list[InlineData], call: WireCall[ChatRequest]) -> dict[str, object]:
    media: dict[str, object] = {}
    images = [made for data in shown if (made := image(data)) is not None]
    if images:
        media["images"] = images
    heard = [data for data in shown if is_audio(data)]
    if heard:
        media["audio"] = audio(heard, audio_format(call), call.answer_id.rpartition("-")[2], call.created)
    return media


def audio_format(call: WireCall[ChatRequest]) -> str:
    """What the recording is to be in; the encoder has refused what cannot be written."""
    wanted = call.payload.value.audio or {}
    return msgspec.json.decode(wanted["format"], type=str) if "format" in wanted else "wav"
