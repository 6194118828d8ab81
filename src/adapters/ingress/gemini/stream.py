"""A chat's chunks as Google's: whole answers with the new parts alone, the last with the reason it ended and its usage.

Texts and thoughts go out as they come. A call goes out when it is whole: its arguments are an object there. What closes
the answer is held back until it is settled. Source: wire facts on Gemini, section 3 (November 2026).
"""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from adapters.ingress.gemini.answer import (
    NO_FUNCTION,
    Call,
    Part,
    call_parts,
    finish_reason,
    generated,
    grounding_metadata,
    logprobs_result,
    response_id,
    shown_media,
    signed,
)
from adapters.wire.errors import unreadable
from adapters.wire.raw_json import UNDECODABLE, TolerantDecoder
from adapters.wire.signatures import Sealed, joined_details
from domain.usage import TokenUsage


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _CallDelta(msgspec.Struct):
    index: int = 0
    id: str | None = None
    function: _Function | None = None
    extra_content: msgspec.Raw | UnsetType = UNSET


class _Delta(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[_CallDelta] | None = None
    reasoning_content: object = None
    reasoning: object = None
    thinking_blocks: list[Any] | None = None
    reasoning_details: list[Any] | None = None
    images: list[Any] | None = None
    audio: Any = None
    annotations: list[Any] | None = None


class _Choice(msgspec.Struct):
    index: int = 0
    delta: _Delta | None = None
    finish_reason: str | None = None
    logprobs: Any = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    id: str = ""
    model: str = ""


class _Growing:
    """One candidate of the answer so far."""

    def __init__(self) -> None:
        self.calls: dict[int, Call] = {}
        self.arguments: dict[int, list[str]] = {}
        self.thinking: list[Any] = []
        self.details: list[Any] = []
        self.finish: str | None = None
        self.refused = False

    def take_call(self, delta: _CallDelta) -> None:
        call = self.calls.setdefault(delta.index, Call())
        call.id = delta.id or call.id
        if not isinstance(delta.extra_content, UnsetType):
            call.extra_content = delta.extra_content
        function = delta.function or _Function()
        if function.name:
            call.function = msgspec.structs.replace(call.function or NO_FUNCTION, name=function.name)
        if function.arguments:
            self.arguments.setdefault(delta.index, []).append(function.arguments)

    def whole_calls(self) -> list[Part]:
        """All that have come, in their order."""
        made = []
        for index, call in sorted(self.calls.items()):
            function = call.function or NO_FUNCTION
            text = "".join(self.arguments.get(index, ()))
            made.append(msgspec.structs.replace(call, function=msgspec.structs.replace(function, arguments=text)))
        return call_parts(made)


_decode_chunk = TolerantDecoder(_Chunk)
_encode = msgspec.json.Encoder().encode


class ContentChunks:
    """Fed with blocks of a chat's chunks; gives back events. Without `thoughts` none are shown."""

    def __init__(self, model: str, *, thoughts: bool) -> None:
        self._model = model
        self._id = "0"
        self._thoughts = thoughts
        self._candidates: dict[int, _Growing] = {}

    def feed(self, chunks: bytes) -> bytes:
        """The events that whole chunks make. Raises `UpstreamFailure` for what is no chunk."""
        out: list[bytes] = []
        for text in chunks.split(b"\n\n"):
            if not text.startswith(b"data: {"):
                continue
            try:
                chunk = _decode_chunk(text[6:])
            except UNDECODABLE:
                raise unreadable(text, None, "a chunk of a chat completion") from None
            self._model = chunk.model or self._model
            self._id = response_id(chunk.id) if chunk.id else self._id
            said = [made for choice in chunk.choices or () if (made := self._take(choice)) is not None]
            if said:
                out.append(self._event(said))
        return b"".join(out)

    def rest(self) -> bytes:
        """The answer is complete: what is left of it, calls and what the provider wants back."""
        left: list[dict[str, object]] = []
        for index, growing in sorted(self._candidates.items()):
            sealed = Sealed(growing.thinking, joined_details(growing.details))
            parts = signed(growing.whole_calls(), sealed)
            if parts:
                left.append({"content": {"role": "model", "parts": parts}, "index": index})
        return self._event(left) if left else b""

    def ending(self, usage: TokenUsage) -> bytes:
        """The event that closes the answer: why it ended, and what it used."""
        ends: list[dict[str, object]] = []
        for index, growing in sorted((self._candidates or {0: _Growing()}).items()):
            reason = finish_reason(growing.finish, refused=growing.refused)
            content = {"role": "model", "parts": [{"text": ""}]}
            ends.append({"content": content, "finishReason": reason, "index": index})
        return self._event(ends, usage)

    def _take(self, choice: _Choice) -> dict[str, object] | None:
        """What of a candidate is to be said now; None for nothing."""
        growing = self._candidates.setdefault(choice.index, _Growing())
        growing.finish = choice.finish_reason or growing.finish
        delta = choice.delta
        if delta is None:
            return None
        growing.thinking += delta.thinking_blocks or ()
        growing.details += delta.reasoning_details or ()
        growing.refused = growing.refused or bool(delta.refusal)
        parts: list[Part] = []
        reasoning = delta.reasoning_content or delta.reasoning
        if self._thoughts and isinstance(reasoning, str) and reasoning:
            parts.append({"text": reasoning, "thought": True})
        parts += [{"text": text} for text in (delta.content, delta.refusal) if text]
        parts += shown_media(delta.images or (), delta.audio)
        for call in delta.tool_calls or ():
            growing.take_call(call)
        grounding = grounding_metadata(delta.annotations or ())
        if not parts and grounding is None:
            return None
        made: dict[str, object] = {"content": {"role": "model", "parts": parts}, "index": choice.index}
        if grounding is not None:
            made["groundingMetadata"] = grounding
        if (logprobs := logprobs_result(choice.logprobs)) is not None:
            made["logprobsResult"] = logprobs
        return made

    def _event(self, candidates: list[dict[str, object]], usage: TokenUsage | None = None) -> bytes:
        return b"data: " + _encode(generated(candidates, self._model, self._id, usage)) + b"\n\n"
