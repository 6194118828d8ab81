"""One of OpenAI's other endpoints at one upstream: the request passed on with its model renamed, refusals read.

As with chat, top-level fields are raw JSON: what the gateway does not model survives byte for byte.
"""

from collections.abc import Iterable
from typing import Final, Generic, TypeVar

import msgspec

from adapters.dialects.openai.params import whole_quirks
from adapters.dialects.openai.quirks import EndpointQuirks, Quirks
from adapters.wire.answer import Encoded, PlainAnswer
from adapters.wire.call import WireCall
from adapters.wire.errors import failure_from_answer, failure_in_body, failure_in_stream, unreadable
from adapters.wire.events import EventStreamDecoder
from adapters.wire.files import FileDecoder
from adapters.wire.rate_limits import RawHeaders, read_limits
from adapters.wire.sift import NEVER_FORWARDED, keep_strict, unsupported, worth_a_report
from adapters.wire.undecodable import UNDECODABLE
from domain.availability import RateLimitWindow
from domain.errors import UpstreamFailure
from domain.inference import GATEWAY_FIELDS, InferenceRequest

R = TypeVar("R", bound=InferenceRequest)
Fields = dict[str, msgspec.Raw]

NULL: Final = msgspec.Raw(b"null")
TRUE: Final = msgspec.Raw(b"true")

decode_fields = msgspec.json.Decoder(Fields).decode
decode_any = msgspec.json.Decoder().decode
encode = msgspec.json.Encoder().encode


class OpenAIEndpoint(Generic[R]):
    """What all of them share; each adds how its answers are read. `drop` is an operator's own."""

    stream_types: frozenset[str] = frozenset({"text/event-stream"})
    name = ""
    answer_name = "an answer"

    def __init__(self, quirks: Quirks, own: EndpointQuirks, drop: Iterable[str] = ()) -> None:
        self.quirks = quirks
        self.own = whole_quirks(self.name, quirks, own)
        self._reported = self.own.drop | frozenset(drop) | NEVER_FORWARDED

    def encode(self, call: WireCall[R], *, stream: bool) -> Encoded:
        fields = call.payload.fields
        out = {
            name: raw
            for name, raw in fields.items()
            if name not in self._reported and name not in GATEWAY_FIELDS and raw != NULL
        }
        out["model"] = msgspec.Raw(encode(call.model))
        if stream:
            self.ask_for_stream(out)
        for name, other in self.own.rename.items():
            if name in out:
                out[other] = out.pop(name)
        return Encoded(encode(out), self.left_out(fields, strict=call.strict))

    def left_out(self, fields: Fields, *, strict: bool) -> tuple[str, ...]:
        """What is reported as dropped. Raises `UNSUPPORTED` for what must not be."""
        for name in self.own.refused & fields.keys():
            if worth_a_report(name, fields[name]):
                raise unsupported(name)
        lost = [name for name in self._reported & fields.keys() if worth_a_report(name, fields[name])]
        return keep_strict(lost, strict=strict)

    def ask_for_stream(self, out: Fields) -> None:
        """Make the request to send one for a stream."""
        out["stream"] = TRUE

    def decoder(self, call: WireCall[R], content_type: str) -> EventStreamDecoder | FileDecoder:  # noqa: ARG002 - it has no streams
        raise unsupported("stream")

    def replay(self, answer: PlainAnswer, call: WireCall[R]) -> bytes | None:  # noqa: ARG002 - not known to happen
        return None

    def failure(self, status: int, headers: RawHeaders, body: bytes, call: WireCall[R]) -> UpstreamFailure:
        return failure_from_answer(status, headers, body, self.quirks, secret=call.secret, now=call.now())

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:
        table = self.quirks.limits
        return read_limits(headers, table, now) if table else ()

    def fields_of(self, body: bytes, call: WireCall[R], required: str) -> Fields:
        """The top-level fields of an answer that has `required`. Raises `UpstreamFailure` for anything else."""
        try:
            fields = decode_fields(body)
        except UNDECODABLE:
            raise self.unreadable(body, call) from None
        told = fields.get(required, NULL) != NULL
        if fields.get("error", NULL) != NULL or (not told and ("errors" in fields or "detail" in fields)):
            raise failure_in_body(body, self.quirks, secret=call.secret, now=call.now())
        if not told:
            raise self.unreadable(body, call)
        return fields

    def unreadable(self, beginning: bytes, call: WireCall[R]) -> UpstreamFailure:
        return unreadable(beginning, call.secret, self.answer_name)

    def told_failure(self, error: object, call: WireCall[R]) -> UpstreamFailure:
        """The failure of an error told in a stream."""
        return failure_in_stream(error, self.quirks, secret=call.secret, now=call.now())


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(encode(value))


def text_of(fields: Fields, name: str) -> str:
    """A field's text, empty where it is none."""
    value: object = decode_any(fields[name]) if name in fields else None
    return value if isinstance(value, str) else ""
