"""Gemini's answers as they arrive, and what they are worth in OpenAI's words.

Source: google-genai 3.4 types (November 2026). Chunks of a stream have the same shape. `candidatesTokenCount` leaves
thoughts out; a tool call ends with `STOP`; a blocked prompt is a 200 without candidates.
"""

import logging
from collections.abc import Sequence
from typing import Final

import msgspec

from domain.chat import FinishReason
from domain.usage import TokenUsage

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


class Grounding(msgspec.Struct, rename="camel"):
    grounding_chunks: list[GroundingChunk] | None = None


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


class Answer(msgspec.Struct, rename="camel"):
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


def token_usage(told: UsageMetadata | None) -> TokenUsage | None:
    """None where nothing is told of the prompt, or nothing was counted: imitators say so, Google never."""
    if told is None or told.prompt_token_count is None:
        return None
    prompt = told.prompt_token_count + (told.tool_use_prompt_token_count or 0)
    thoughts = told.thoughts_token_count or 0
    if told.candidates_token_count is not None:
        output = told.candidates_token_count + thoughts
    else:
        output = max((told.total_token_count or 0) - prompt, thoughts)
    if not prompt and not output:
        return None
    return TokenUsage(
        input_tokens=prompt,
        output_tokens=output,
        cache_read_tokens=told.cached_content_token_count or 0,
        reasoning_tokens=thoughts,
        audio_input_tokens=_of(told.prompt_tokens_details, "AUDIO"),
        audio_output_tokens=_of(told.candidates_tokens_details, "AUDIO"),
        image_tokens=_of(told.prompt_tokens_details, "IMAGE"),
    )


def logprobs(told: Logprobs | None) -> dict[str, object] | None:
    """As OpenAI writes them."""
    if told is None or not told.chosen_candidates:
        return None
    tops = told.top_candidates or []
    content = []
    for place, chosen in enumerate(told.chosen_candidates):
        top = tops[place].candidates or [] if place < len(tops) else []
        content.append({**_token(chosen), "top_logprobs": [_token(token) for token in top]})
    return {"content": content, "refusal": None}


def citations(told: Grounding | None) -> list[dict[str, object]]:
    """The pages a searched answer rests on, as OpenAI's annotations; where in the text is not told."""
    found: list[dict[str, object]] = []
    for chunk in (told.grounding_chunks if told is not None else None) or ():
        if chunk.web is not None and chunk.web.uri:
            page = {"url": chunk.web.uri, "title": chunk.web.title or "", "start_index": 0, "end_index": 0}
            found.append({"type": "url_citation", "url_citation": page})
    return found


def _token(token: Token) -> dict[str, object]:
    value = -9999.0 if token.log_probability is None else token.log_probability
    return {"token": token.token, "logprob": value, "bytes": list(token.token.encode(errors="replace"))}


def _of(details: Sequence[ModalityCount] | None, modality: str) -> int:
    return sum(count.token_count or 0 for count in details or () if count.modality == modality)
