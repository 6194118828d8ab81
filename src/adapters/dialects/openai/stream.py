"""Watches an upstream's SSE go by and mends what some client could not take (wire facts, section 12).

Blocks of whole events pass as the bytes they came unless something in them is odd. What always holds of the
output: each choice's role once and first; tool calls numbered from 0, id and name given once, arguments text;
no comments, ids, named or empty events; no `error` key; one finish reason a choice, in OpenAI's words; usage
in one chunk at the very end, and only if it was asked for; no `[DONE]` (whoever ends the stream writes it).

R-08: an answer is complete only if `[DONE]` came, or a finish reason for every choice before a clean end.
"""

from typing import Final

import msgspec
from msgspec import UNSET

from adapters.dialects.openai.chunk import given
from adapters.dialects.openai.mender import ChunkMender
from adapters.dialects.openai.quirks import Quirks
from adapters.wire.call import AnswerFacts
from adapters.wire.errors import cut_off, invalid_answer, unreadable
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.read_stream import lacks_its_end_alone
from adapters.wire.sse import EVENT_STREAM, EventCutter, EventTooLarge, read_event
from domain.errors import UpstreamFailure
from domain.usage import TokenUsage

_PINGS: Final = frozenset({b"ping", b"heartbeat", b"keepalive", b"keep-alive"})

_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class ChatStreamDecoder:
    """Fed with bytes as they arrive; gives back blocks of whole events for the client.

    After each `feed` and after `finish` look at `failure` first: what was given back came before it.
    `done` means the answer is complete and nothing that follows matters.
    """

    content_type = EVENT_STREAM

    def __init__(self, call: AnswerFacts, quirks: Quirks, *, include_usage: bool) -> None:
        self.failure: UpstreamFailure | None = None
        self.done = False
        self._call = call
        self._include_usage = include_usage
        self._cutter = EventCutter()
        self._mender = ChunkMender(call, quirks)

    @property
    def model(self) -> str:
        """What the upstream says answers; until it says so, what was asked for."""
        return self._mender.model

    @property
    def usage(self) -> TokenUsage | None:
        return self._mender.usage

    @property
    def has_content(self) -> bool:
        """Whether what was given back so far holds content, a tool call, reasoning or a finish reason."""
        return self._mender.has_content

    @property
    def output_bytes(self) -> int:
        """Bytes of generated content so far; where it is escaped in JSON, with the escapes."""
        return self._mender.output_bytes

    @property
    def ending(self) -> bytes:
        return b"data: [DONE]\n\n"

    def output_text(self) -> str:
        """The beginning of the generated text."""
        return self._mender.kept_text.decode(errors="ignore")

    def feed(self, data: bytes) -> bytes:
        """A block of whole events, or nothing yet. Never raises."""
        if self._is_over():
            return b""
        try:
            block = self._cutter.feed(data)
        except EventTooLarge as error:
            self.failure = invalid_answer(str(error))
            return b""
        return self._mend(block) if block else b""

    def finish(self) -> bytes:
        """The bytes ended, cleanly. What is still to be said; sets `failure` where the answer is not complete."""
        if self._is_over():
            return b""
        rest = self._cutter.rest()
        output = self._mend(rest + b"\n\n") if _whole(rest) else b""
        if self._is_over():
            return output
        if self._mender.all_finished:
            self.done = True
            return output + _framed(self._mender.ending(include_usage=self._include_usage))
        self.failure = cut_off()
        return output

    def _is_over(self) -> bool:
        return self.done or self.failure is not None

    def _mend(self, block: bytes) -> bytes:
        mender = self._mender
        mender.begin_block()
        output: list[bytes] = []
        at = kept = 0  # what lies between the two goes as it came
        while at < len(block):
            end = mender.skip(block, at)
            if end > at:
                at = end
                continue
            end = block.find(b"\n\n", at) + 2
            if end < 2:
                end = len(block)  # a third line end
            try:
                mended = self._mended(block[at:end].removesuffix(b"\n\n"))
            except UpstreamFailure as failure:
                self.failure = failure
                return b"".join([*output, block[kept:at]])
            if mended is not None:
                output += (block[kept:at], mended)
                kept = end
                if self.done:
                    return b"".join([*output, _framed(mender.ending(include_usage=self._include_usage))])
            at = end
        return b"".join([*output, block[kept:]]) if kept else block

    def _mended(self, text: bytes) -> bytes | None:
        """The event to send instead of this one, empty for none; None where it is fine as it is."""
        try:
            if text.startswith(b"data: {") and b"\n" not in text:
                data = text[6:]
                mended = self._mender.mend(data)
                if mended is data:
                    return None
            else:
                mended = self._other_event(text)
        except UNDECODABLE:
            raise self._undecodable(text) from None
        return _framed([mended]) if mended else b""

    def _other_event(self, text: bytes) -> bytes:
        """The chunk to send for anything but one plain line, empty for none."""
        name, data = read_event(text)
        if name == b"error":
            raise self._mender.reported_failure(data or b'"The provider reported an error without a word."')
        if data is None:
            return b""
        if data.strip() == b"[DONE]":
            if not self._mender.has_choices:
                raise invalid_answer("the stream ended without an answer")
            self._mender.check_calls()
            self.done = True
            return b""
        try:
            return self._mender.mend(msgspec.json.format(data, indent=-1) if b"\n" in data else data)
        except UNDECODABLE:
            if name in _PINGS:
                return b""
            raise

    def _undecodable(self, text: bytes) -> UpstreamFailure:
        """An error in an odd shape, or no chunk at all."""
        data = read_event(text).data or b""
        try:
            fields = _decode_fields(data)
        except UNDECODABLE:
            return unreadable(data, self._call.secret)
        error = given(fields.get("error", UNSET))
        return self._mender.reported_failure(bytes(error)) if error is not None else unreadable(data, self._call.secret)


def _framed(chunks: list[bytes]) -> bytes:
    return b"".join([b"data: %b\n\n" % chunk for chunk in chunks])


def _whole(rest: bytes) -> bool:
    """Whether what is left without its blank line is an event all the same: only its end was not written."""
    return lacks_its_end_alone(rest) or (read_event(rest).data or b"").strip() == b"[DONE]"
