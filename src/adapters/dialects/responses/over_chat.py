"""Chat's answers as responses: a whole one, and a stream of chunks as a stream of events."""

import msgspec

from adapters.dialects.responses.answer import ResponseMaker
from adapters.dialects.responses.delta import Chunk, Completion
from adapters.dialects.responses.envelope import Envelope
from adapters.dialects.responses.tools import ToolNames
from adapters.wire.sse import read_event
from adapters.wire.undecodable import UNDECODABLE
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import TokenUsage

_encode = msgspec.json.Encoder().encode
_decode_chunk = msgspec.json.Decoder(Chunk).decode
_decode_completion = msgspec.json.Decoder(Completion).decode


def to_response(body: bytes, envelope: Envelope, tools: ToolNames, usage: TokenUsage | None, now: int) -> bytes:
    """The Response object of a whole `chat.completion`. Raises `UpstreamFailure` for what is none."""
    try:
        answer = _decode_completion(body)
    except UNDECODABLE as error:
        raise _unreadable(error) from None
    envelope.model = answer.model or envelope.model
    envelope.service_tier = answer.service_tier
    maker = ResponseMaker(envelope, tools)
    reason = None
    for choice in answer.choices[:1]:
        maker.say(choice.message, choice.logprobs.content if choice.logprobs is not None else None)
        reason = choice.finish_reason
    return _encode(maker.finish(reason, usage, now))


class ResponseEvents:
    """Fed with blocks of whole chunk events, as every chat provider streams them; gives blocks of response events."""

    def __init__(self, envelope: Envelope, tools: ToolNames) -> None:
        self._envelope = envelope
        self._maker = ResponseMaker(envelope, tools)
        self._reason: str | None = None
        self._begun = False

    def feed(self, block: bytes) -> bytes:
        """Raises `UpstreamFailure` for a chunk that is none."""
        for text in block.split(b"\n\n"):
            data = text[6:] if text.startswith(b"data: {") else read_event(text).data
            if not data or data == b"[DONE]":
                continue
            try:
                self._chunk(_decode_chunk(data))
            except UNDECODABLE as error:
                raise _unreadable(error) from None
        return b"".join(self._maker.take())

    def finish(self, usage: TokenUsage | None, now: int) -> tuple[bytes, bytes]:
        """Chat is complete: the events that are left, and the terminal one by itself."""
        self._begin()
        self._maker.finish(self._reason, usage, now)
        *rest, terminal = self._maker.take()
        return b"".join(rest), terminal

    def _chunk(self, chunk: Chunk) -> None:
        self._envelope.model = chunk.model or self._envelope.model
        self._envelope.service_tier = chunk.service_tier or self._envelope.service_tier
        self._begin()
        for choice in chunk.choices:
            if choice.index != 0:
                continue
            if choice.delta is not None:
                self._maker.say(choice.delta, choice.logprobs.content if choice.logprobs is not None else None)
            self._reason = choice.finish_reason or self._reason

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._maker.begin()


def _unreadable(error: Exception) -> UpstreamFailure:
    return UpstreamFailure(
        FailureKind.SERVER_ERROR, f"The provider's answer is invalid: {error}.", status=200, code="invalid_response"
    )
