"""Watches the event stream of an upstream's own Responses go by, and tells when its answer is complete.

Events pass as the bytes they came; only those that hold the response itself are taken apart, for its ids and its
usage. R-08: complete only once a terminal event has come, which is held back as the `ending`.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType
from typing_extensions import override

from adapters.dialects.responses.answer import Facts, read_head, tokens, with_kept_id
from adapters.wire.raw_json import UNDECODABLE, TolerantDecoder, without_halves, without_odd_bytes
from adapters.wire.read_stream import ReadStream, lacks_its_end_alone
from adapters.wire.sse import MAX_LARGE_EVENT_BYTES, EventCutter, read_event
from domain.background_responses import UNSAID, KeptState
from domain.usage import TokenUsage

MAX_KEPT_TEXT_CHARS: Final = 16 * 1024

_TERMINAL: Final = frozenset({"response.completed", "response.incomplete"})
_FAILED: Final = frozenset({"response.failed", "error"})
_OPENING: Final = frozenset({"response.created", "response.queued", "response.in_progress"})
_NO_CONTENT: Final = _OPENING | {
    "response.output_item.added",
    "response.content_part.added",
    "response.reasoning_summary_part.added",
}

MAX_OPENING_BYTES: Final = 32 * 1024
"""Events before the model begins tell the whole request. Where they are longer they wait for it: a stream that fails
before content goes to another provider, as long as little was passed on."""


class _Event(msgspec.Struct):
    type: str = ""
    delta: object = None
    response: msgspec.Raw | UnsetType = UNSET
    error: object = None


_decode_event = TolerantDecoder(_Event)
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class NativeStreamDecoder(ReadStream[bytes]):
    """A `StreamDecoder` that passes events on."""

    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self.model = facts.model
        self.usage: TokenUsage | None = None
        self.has_content = False
        self.output_bytes = 0
        self.ending = b""
        self._facts = facts
        self._cutter = EventCutter(MAX_LARGE_EVENT_BYTES)
        self._opening = b""
        self._response = KeptState("", "", facts.model)
        self._begun = False
        self._kept: list[str] = []
        self._kept_chars = 0

    def output_text(self) -> str:
        return "".join(self._kept)

    def kept(self) -> KeptState | None:
        """How the response stands, by its last event that said so; None where the upstream does not keep it."""
        return self._response if self._response.upstream_id else None

    @override
    def _follow(self, data: bytes | None) -> bytes:
        return self._opened(super()._follow(data))

    @override
    def _pieces(self, data: bytes) -> Iterable[bytes]:
        return self._cutter.feed(data).split(b"\n\n")

    @override
    def _rest(self) -> Iterable[bytes]:
        rest = self._cutter.rest().strip(b"\n")
        return (rest,) if lacks_its_end_alone(rest) else ()

    @override
    def _read(self, piece: bytes) -> bytes:
        name, data = read_event(without_odd_bytes(piece))
        if data is None or data.strip() == b"[DONE]":
            return b""  # comments, pings, and an end that OpenAI does not write here
        try:
            passed = self._event(name, without_halves(data))
        except UNDECODABLE:
            raise self._facts.unreadable(data) from None
        if self.done:
            self.ending = passed
            return b""
        return passed

    def _opened(self, block: bytes) -> bytes:
        """What may go on now."""
        waiting = self._opening + block
        if not self._begun and not self.done and (self._opening or len(waiting) > MAX_OPENING_BYTES):
            self._opening = waiting
            return b""
        self._opening = b""
        return waiting

    def _event(self, name: bytes, data: bytes) -> bytes:
        event = _decode_event(data)
        type_ = event.type or name.decode(errors="replace")
        if type_ in _FAILED or event.error:
            self._response = msgspec.structs.replace(self._response, status="failed")
            raise self._facts.failure(_error_of(event, data))
        if isinstance(event.delta, str):
            self._generated(event.delta)
        self._begun = self._begun or type_ not in _OPENING
        self.has_content = self.has_content or type_ not in _NO_CONTENT
        if not isinstance(event.response, UnsetType):
            data = self._with_response(data, event.response)
        self.done = type_ in _TERMINAL
        return b"event: %b\ndata: %b\n\n" % (type_.encode(), data.replace(b"\n", b" "))

    def _with_response(self, data: bytes, response: msgspec.Raw) -> bytes:
        head = read_head(response)
        self.model = head.model or self.model
        self.usage = tokens(head) or self.usage
        if head.store is not False:
            self._response = KeptState(head.id, head.status or UNSAID, self._facts.model)
        fields = _decode_fields(data)
        fields["response"] = msgspec.Raw(with_kept_id(response, self._facts.provider_id, self._facts.owner_key))
        return _encode(fields)

    def _generated(self, text: str) -> None:
        self.output_bytes += len(text.encode(errors="replace"))
        if self._kept_chars < MAX_KEPT_TEXT_CHARS:
            self._kept.append(text)
            self._kept_chars += len(text)


def _error_of(event: _Event, data: bytes) -> object:
    """The error of a failed response, or of an error event in either of its forms."""
    if not isinstance(event.response, UnsetType):
        return read_head(event.response).error
    given: object = event.error or _decode_any(data)
    return given
