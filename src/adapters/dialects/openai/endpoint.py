"""One of OpenAI's other endpoints at one upstream: the request passed on with its model renamed, refusals read.

As with chat, top-level fields are raw JSON: what the gateway does not model survives byte for byte.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Generic, TypeVar

import msgspec
from typing_extensions import override

from adapters.dialects.openai.params import whole_quirks
from adapters.dialects.openai.quirks import EndpointQuirks, Quirks
from adapters.wire.call import DialectCall, Encoded, PlainAnswer
from adapters.wire.charges import with_units
from adapters.wire.errors import failure_from_answer, failure_in_body, failure_in_stream, unreadable
from adapters.wire.files import FileDecoder, FormFile, write_form
from adapters.wire.rate_limits import RawHeaders, read_limits
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.read_stream import EventReader, EventStreamDecoder
from adapters.wire.replay import Replay
from adapters.wire.sift import NEVER_FORWARDED, keep_strict, unsupported, worth_a_report
from adapters.wire.sse import Event
from domain.availability import RateLimitWindow
from domain.errors import UpstreamFailure
from domain.forms import UploadedFile
from domain.inference import GATEWAY_FIELDS, InferenceRequest
from domain.moderations import ModerationRequest
from domain.usage import TokenUsage

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

    def encode(self, call: DialectCall[R], *, stream: bool) -> Encoded:
        fields = call.payload.fields
        out = {
            name: raw
            for name, raw in fields.items()
            if name not in self._reported and name not in GATEWAY_FIELDS and raw != NULL
        }
        out["model"] = msgspec.Raw(encode(call.model))
        self.fill(out)
        if stream:
            self.ask_for_stream(out)
        for name in call.omit:
            out.pop(name, None)
        for name, other in self.own.rename.items():
            if name in out:
                out[other] = out.pop(name)
        return Encoded(encode(out), self.left_out(fields, strict=call.strict, omit=call.omit))

    def encode_form(
        self, call: DialectCall[R], form: Iterable[tuple[str, str]], files: Iterable[UploadedFile], *, stream: bool
    ) -> Encoded:
        """The same of a request that came as a form, and goes on as one."""
        dropped = self.left_out(call.payload.fields, strict=call.strict)
        skipped = self._reported | GATEWAY_FIELDS | {"model", "stream"}
        fields = [("model", call.model)]
        if stream:
            fields.append(("stream", "true"))
        for name, value in form:
            plain = name.removesuffix("[]")
            if plain not in skipped:
                fields.append((self.own.rename.get(plain, name), value))
        sent = write_form(fields, *(FormFile(file.field, file.name, file.content_type, file.data) for file in files))
        return Encoded(sent.body, dropped, sent.content_type)

    def left_out(self, fields: Fields, *, strict: bool, omit: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """What is reported as dropped. Raises `UNSUPPORTED` for what must not be."""
        for name in self.own.refused & fields.keys():
            if worth_a_report(name, fields[name]):
                raise unsupported(name)
        lost = [name for name in (self._reported | omit) & fields.keys() if worth_a_report(name, fields[name])]
        return keep_strict(lost, strict=strict)

    def fill(self, out: Fields) -> None:
        """Add what the client left out and this upstream wants all the same."""

    def ask_for_stream(self, out: Fields) -> None:
        """Make the request to send one for a stream."""
        out["stream"] = TRUE

    def decoder(self, call: DialectCall[R], content_type: str) -> EventStreamDecoder | FileDecoder:  # noqa: ARG002 - it has no streams
        raise unsupported("stream")

    def replay(self, answer: PlainAnswer, call: DialectCall[R]) -> Replay | None:  # noqa: ARG002 - not known to happen
        return None

    def failure(self, status: int, headers: RawHeaders, body: bytes, call: DialectCall[R]) -> UpstreamFailure:
        return failure_from_answer(status, headers, body, self.quirks, secret=call.secret, now=call.now())

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:
        table = self.quirks.limits
        return read_limits(headers, table, now, by_model=self.quirks.limits_by_model) if table else ()

    def fields_of(self, body: bytes, call: DialectCall[R], required: str) -> Fields:
        """The top-level fields of an answer that has `required`. Raises `UpstreamFailure` for anything else."""
        try:
            fields = decode_fields(body)
        except UNDECODABLE:
            raise self.unreadable(body, call) from None
        present = fields.get(required, NULL) != NULL
        if fields.get("error", NULL) != NULL or (not present and ("errors" in fields or "detail" in fields)):
            raise failure_in_body(body, self.quirks, secret=call.secret, now=call.now())
        if not present:
            raise self.unreadable(body, call)
        return fields

    def unreadable(self, beginning: bytes, call: DialectCall[R]) -> UpstreamFailure:
        return unreadable(beginning, call.secret, self.answer_name)

    def reported_failure(self, error: object, call: DialectCall[R]) -> UpstreamFailure:
        """The failure of an error reported in a stream."""
        return failure_in_stream(error, self.quirks, secret=call.secret, now=call.now())


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(encode(value))


def text_of(fields: Fields, name: str) -> str:
    """A field's text, empty where it is none."""
    value: object = decode_any(fields[name]) if name in fields else None
    return value if isinstance(value, str) else ""


class NamedEvents(EventReader):
    """`last` are the types that end an answer, `content` the fields that hold what was made.

    With `texts` the first of `content` is text, kept for an estimate where usage never comes. `units` reads of the
    events that end an answer what is sold otherwise than by the token.
    """

    def __init__(
        self,
        model: str,
        failure_of: Callable[[object], UpstreamFailure],
        last: Sequence[str],
        content: Sequence[str],
        usage: Callable[[msgspec.Raw], TokenUsage | None],
        *,
        texts: bool = False,
        units: Callable[[Fields], Mapping[str, int]] | None = None,
    ) -> None:
        super().__init__(model)
        self._failure_of = failure_of
        self._last = frozenset(last)
        self._content = content
        self._read_usage = usage
        self._texts = texts
        self._units = units

    @override
    def read(self, event: Event, text: bytes) -> bytes:
        fields = decode_fields(event.data or b"")
        error = fields.get("error", NULL)
        kind = text_of(fields, "type") or event.name.decode(errors="replace")
        if error != NULL or kind == "error":
            raise self._failure_of(decode_any(error if error != NULL else event.data or b"null"))
        if any(fields.get(name, NULL) != NULL for name in self._content):
            self.has_content = True
            if self._texts:
                self.generated(text_of(fields, self._content[0]))
        if kind in self._last:
            self.complete = self.has_content = True
            if self._units is not None:
                self._add(with_units(None, self._units(fields)))
        if fields.get("usage", NULL) != NULL:
            self._add(self._read_usage(fields["usage"]))
        return text

    def _add(self, usage: TokenUsage | None) -> None:
        """Of several images each has its own usage."""
        if usage is not None:
            self.usage: TokenUsage | None = usage if self.usage is None else self.usage.plus(usage)


class OpenAIModerations(OpenAIEndpoint[ModerationRequest]):
    """One upstream's moderations. It reports no usage."""

    name = "moderations"
    answer_name = "a moderation"

    def read(self, body: bytes, call: DialectCall[ModerationRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        fields = self.fields_of(body, call, "results")
        return PlainAnswer(body, text_of(fields, "model") or call.model, None)
