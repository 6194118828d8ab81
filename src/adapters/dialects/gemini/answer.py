"""Gemini's answers, whole or as a stream's chunks, which have the same shape, and what they are in OpenAI's words.

Whole ones are read here as chat completions; `stream` does it chunk by chunk. Source: google-genai 3.4 types (November
2026). `candidatesTokenCount` leaves thoughts out; a tool call ends with `STOP`; a blocked prompt is a 200 without
candidates.
"""

import base64
import binascii
import logging
import re
import secrets
from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.dialects.gemini.errors import ended_badly, reported_failure
from adapters.wire.call import DialectCall, PlainAnswer
from adapters.wire.charges import BillingFields, with_billing, with_calls
from adapters.wire.chat_answer import MadeMessage, MadeToolCall, chat_answer
from adapters.wire.errors import unreadable
from adapters.wire.raw_json import UNDECODABLE, TolerantDecoder
from domain.chat import ChatRequest, FinishReason
from domain.usage import STANDARD_WORDS, TokenUsage

log = logging.getLogger(__name__)


NO_ERROR: Final = msgspec.Raw(b"null")


class InlineData(msgspec.Struct, rename="camel"):
    mime_type: str = ""
    data: str = ""


class FunctionCall(msgspec.Struct, rename="camel"):
    id: str | None = None
    name: str = ""
    args: dict[str, object] | None = None


class Part(msgspec.Struct, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: FunctionCall | None = None
    inline_data: InlineData | None = None


class Content(msgspec.Struct):
    parts: list[Part] | None = None


class Token(msgspec.Struct, rename="camel"):
    token: str = ""
    log_probability: float | None = None


class TopTokens(msgspec.Struct):
    candidates: list[Token] | None = None


class Logprobs(msgspec.Struct, rename="camel"):
    chosen_candidates: list[Token] | None = None
    top_candidates: list[TopTokens] | None = None


class WebSource(msgspec.Struct):
    uri: str | None = None
    title: str | None = None


class GroundingChunk(msgspec.Struct):
    web: WebSource | None = None
    maps: WebSource | None = None


class Grounding(msgspec.Struct, rename="camel"):
    grounding_chunks: list[GroundingChunk] | None = None
    web_search_queries: list[str] | None = None


class Candidate(msgspec.Struct, rename="camel"):
    index: int = 0
    content: Content | None = None
    finish_reason: str | None = None
    logprobs_result: Logprobs | None = None
    grounding_metadata: Grounding | None = None

    @property
    def parts(self) -> list[Part]:
        return (self.content.parts if self.content is not None else None) or []


class PromptFeedback(msgspec.Struct, rename="camel"):
    block_reason: str | None = None


class ModalityCount(msgspec.Struct, rename="camel"):
    modality: str = ""
    token_count: int | None = None


class UsageMetadata(msgspec.Struct, rename="camel"):
    prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    total_token_count: int | None = None
    prompt_tokens_details: list[ModalityCount] | None = None
    candidates_tokens_details: list[ModalityCount] | None = None
    cache_tokens_details: list[ModalityCount] | None = None
    service_tier: str | None = None  # the Gemini API's: `standard`, `flex`, `priority`
    traffic_type: str | None = None  # Vertex AI's: `ON_DEMAND`, `ON_DEMAND_FLEX`, `PROVISIONED_THROUGHPUT`

    def tier(self) -> str:
        """Named as the Gemini API does."""
        if self.traffic_type is not None:
            return self.traffic_type.removeprefix("ON_DEMAND").removeprefix("_").lower()
        return (self.service_tier or "").lower().removeprefix("service_tier_").removeprefix("unspecified")

    def further_tokens(self) -> dict[str, int]:
        """By meter, those that `TokenUsage` has no count of."""
        read, made = self.cache_tokens_details, self.candidates_tokens_details
        return {
            "image_output": _modality_tokens(made, "IMAGE"),
            "video_output": _modality_tokens(made, "VIDEO"),
            "video_input": _modality_tokens(self.prompt_tokens_details, "VIDEO"),
            "audio_cache_read": _modality_tokens(read, "AUDIO"),
            "image_cache_read": _modality_tokens(read, "IMAGE"),
        }


class GenerateContentResponse(msgspec.Struct, rename="camel"):
    """One answer, or one chunk of a streamed one."""

    candidates: list[Candidate] | None = None
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: UsageMetadata | None = None
    model_version: str | None = None
    response_id: str | None = None
    error: msgspec.Raw = NO_ERROR

    @property
    def blocked(self) -> bool:
        """Whether the prompt was refused: nothing was generated, and nothing will be."""
        return not self.candidates and self.prompt_feedback is not None and bool(self.prompt_feedback.block_reason)


_FILTERED: Final = frozenset(
    "SAFETY RECITATION BLOCKLIST PROHIBITED_CONTENT SPII IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT IMAGE_RECITATION "
    "MODEL_ARMOR ESCALATION".split()
)
FAILURES: Final = frozenset(
    "LANGUAGE OTHER MALFORMED_FUNCTION_CALL MALFORMED_RESPONSE UNEXPECTED_TOOL_CALL TOO_MANY_TOOL_CALLS "
    "MISSING_THOUGHT_SIGNATURE NO_IMAGE IMAGE_OTHER PUP_LIMITED_DISABLED FINISH_REASON_UNSPECIFIED".split()
)
"""Not an end of an answer but of the attempt: asked again, the model may well answer."""


def finish_reason(reason: str, *, called: bool) -> FinishReason:
    """OpenAI's word. `called`: the candidate has tool calls."""
    if reason in _FILTERED:
        return "content_filter"
    if reason in {"MAX_TOKENS", "CONTINUATION"}:
        return "length"
    if reason != "STOP" and reason not in FAILURES:
        log.warning("unknown finish reason", extra={"finish_reason": reason[:64]})
    return "tool_calls" if called else "stop"


def token_usage(counts: UsageMetadata | None) -> TokenUsage | None:
    """None where nothing is said of the prompt, or nothing was counted: imitators say so, Google never."""
    if counts is None or counts.prompt_token_count is None:
        return None
    prompt = counts.prompt_token_count + (counts.tool_use_prompt_token_count or 0)
    thoughts = counts.thoughts_token_count or 0
    if counts.candidates_token_count is not None:
        output = counts.candidates_token_count + thoughts
    else:
        output = max((counts.total_token_count or 0) - prompt, thoughts)
    if not prompt and not output:
        return None
    counted = TokenUsage(
        input_tokens=prompt,
        output_tokens=output,
        cache_read_tokens=counts.cached_content_token_count or 0,
        reasoning_tokens=thoughts,
        audio_input_tokens=_modality_tokens(counts.prompt_tokens_details, "AUDIO"),
        audio_output_tokens=_modality_tokens(counts.candidates_tokens_details, "AUDIO"),
        image_tokens=_modality_tokens(counts.prompt_tokens_details, "IMAGE"),
    )
    detailed = counts.candidates_tokens_details or counts.cache_tokens_details or counts.prompt_tokens_details
    further = counts.further_tokens() if detailed else {}
    tier = counts.tier()
    if tier in STANDARD_WORDS and not any(further.values()):
        return counted
    return with_billing(counted, BillingFields(service_tier=tier), further)


def with_searches(tokens: TokenUsage | None, candidates: Sequence[Candidate], model: str) -> TokenUsage | None:
    """Usage with the fees of grounding: a prompt's with Gemini 2, each query's from Gemini 3 on.

    Source: ai.google.dev/gemini-api/docs/pricing (read 2026-11). A query that is empty is not charged.
    """
    found = [each.grounding_metadata for each in candidates if each.grounding_metadata is not None]
    queries = [query for each in found for query in each.web_search_queries or () if query]
    if queries and "gemini-2" in model:
        queries = queries[:1]
    on_maps = any(chunk.maps is not None for each in found for chunk in each.grounding_chunks or ())
    return with_calls(tokens, ["web_search"] * len(queries) + ["maps"] * on_maps) if queries or on_maps else tokens


def logprobs(result: Logprobs | None) -> dict[str, object] | None:
    """As OpenAI writes them."""
    if result is None or not result.chosen_candidates:
        return None
    tops = result.top_candidates or []
    content = []
    for index, chosen in enumerate(result.chosen_candidates):
        top = tops[index].candidates or [] if index < len(tops) else []
        content.append({**_token(chosen), "top_logprobs": [_token(token) for token in top]})
    return {"content": content, "refusal": None}


def citations(grounding: Grounding | None) -> list[dict[str, object]]:
    """The pages a searched answer rests on, as OpenAI's annotations; where in the text is not given."""
    found: list[dict[str, object]] = []
    for chunk in (grounding.grounding_chunks if grounding is not None else None) or ():
        if chunk.web is not None and chunk.web.uri:
            page = {"url": chunk.web.uri, "title": chunk.web.title or "", "start_index": 0, "end_index": 0}
            found.append({"type": "url_citation", "url_citation": page})
    return found


def _token(token: Token) -> dict[str, object]:
    value = -9999.0 if token.log_probability is None else token.log_probability
    return {"token": token.token, "logprob": value, "bytes": list(token.token.encode(errors="replace"))}


def _modality_tokens(details: Sequence[ModalityCount] | None, modality: str) -> int:
    return sum(count.token_count or 0 for count in details or () if count.modality == modality)


_RATE: Final = re.compile(r"rate=(\d+)")
_USUAL_RATE: Final = 24_000
_KEPT_SECONDS: Final = 3600

_encode = msgspec.json.Encoder().encode


def tool_call(part: Part) -> MadeToolCall | None:
    """None for a part that is no call. An id is made where there is none, and a signature kept for the next turn."""
    made = part.function_call
    if made is None:
        return None
    signature = part.thought_signature
    extra: dict[str, object] | None = (
        {"extra_content": {"google": {"thought_signature": signature}}} if signature else None
    )
    call_id = made.id or f"call_{secrets.token_hex(12)}"
    return MadeToolCall(call_id, made.name, _encode(made.args or {}).decode(), extra)


def image(data: InlineData) -> dict[str, object] | None:
    """As OpenRouter and others give images that a chat model made; None for anything else."""
    if not data.mime_type.startswith("image/"):
        return None
    return {"type": "image_url", "image_url": {"url": f"data:{data.mime_type};base64,{data.data}"}}


def is_audio(data: InlineData) -> bool:
    return data.mime_type.startswith("audio/")


def audio(pieces: list[InlineData], form: str, call_id: str, created: int) -> dict[str, object]:
    """The recording of a whole answer, raw samples in a WAV file where that was asked for."""
    samples = b"".join(_bytes(piece.data) for piece in pieces)
    if form == "wav" and not samples.startswith(b"RIFF"):
        samples = _wav(samples, pieces[0].mime_type)
    data = base64.b64encode(samples).decode()
    return {"id": f"audio_{call_id}", "data": data, "expires_at": created + _KEPT_SECONDS, "transcript": ""}


def _wav(samples: bytes, mime_type: str) -> bytes:
    """One channel of signed 16-bit numbers, which is what `audio/L16;rate=24000` holds."""
    found = _RATE.search(mime_type)
    rate = int(found[1]) if found is not None else _USUAL_RATE
    size = len(samples).to_bytes(4, "little")
    whole = (len(samples) + 36).to_bytes(4, "little")
    numbers = b"".join(
        value.to_bytes(width, "little")
        for value, width in ((16, 4), (1, 2), (1, 2), (rate, 4), (rate * 2, 4), (2, 2), (16, 2))
    )
    return b"RIFF" + whole + b"WAVEfmt " + numbers + b"data" + size + samples


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except binascii.Error:
        return b""


decode_answer = TolerantDecoder(GenerateContentResponse)


def read_chat(body: bytes, call: DialectCall[ChatRequest]) -> PlainAnswer:
    """Raises `UpstreamFailure` for an error in a 200, for an end that is none, and for what is no answer."""
    try:
        answer = decode_answer(body)
    except UNDECODABLE:
        raise unreadable(body, call.secret) from None
    if answer.error != NO_ERROR:
        raise reported_failure(bytes(answer.error), call)
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
        with_searches(token_usage(answer.usage_metadata), candidates, call.model),
        model=answer.model_version or "",
        answer_id=f"chatcmpl-{answer.response_id}" if answer.response_id else "",
    )


def _choice(candidate: Candidate, call: DialectCall[ChatRequest]) -> tuple[MadeMessage, FinishReason]:
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


def _media(shown: list[InlineData], call: DialectCall[ChatRequest]) -> dict[str, object]:
    media: dict[str, object] = {}
    images = [made for data in shown if (made := image(data)) is not None]
    if images:
        media["images"] = images
    heard = [data for data in shown if is_audio(data)]
    if heard:
        media["audio"] = audio(heard, audio_format(call), call.answer_id.rpartition("-")[2], call.created)
    return media


def audio_format(call: DialectCall[ChatRequest]) -> str:
    """What the recording is to be in; the encoder has refused what cannot be written."""
    wanted = call.payload.value.audio or {}
    return msgspec.json.decode(wanted["format"], type=str) if "format" in wanted else "wav"
