"""Google's API as it is, for clients that speak it to an upstream that does: generating, counting, embedding.

Requests are passed on as they came: top-level fields are raw JSON, so that what is not known here survives. The
gateway's own fields and those that would choose a destination are left out (S-07). A signature that this gateway made
for another provider, and a call that another model made, get Google's own word for that: from Gemini 3 on it refuses
a call without one. Answers keep their bytes, and are only watched.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from typing_extensions import override

from adapters.dialects.gemini.answer import (
    FAILURES,
    NO_ERROR,
    Candidate,
    Content,
    GenerateContentResponse,
    UsageMetadata,
    token_usage,
    with_searches,
)
from adapters.dialects.gemini.contents import FOREIGN_SIGNATURE, generation
from adapters.dialects.gemini.errors import answered_failure, ended_badly, reported_failure
from adapters.wire.call import DialectCall, Encoded, PlainAnswer, R
from adapters.wire.errors import invalid_answer, unreadable
from adapters.wire.rate_limits import RawHeaders
from adapters.wire.raw_json import UNDECODABLE, TolerantDecoder, mended
from adapters.wire.read_stream import EventReader, EventStreamDecoder
from adapters.wire.replay import Replay, event, fields_on_one_line
from adapters.wire.sift import NEVER_FORWARDED, keep_strict, worth_a_report
from adapters.wire.signatures import OURS_IN_BASE64
from adapters.wire.sse import Event
from domain.availability import RateLimitWindow
from domain.errors import UpstreamFailure
from domain.generate_content import EmbedContentRequest, GenerateContentRequest
from domain.inference import GATEWAY_FIELDS, Json
from domain.usage import TokenUsage

_NULL: Final = msgspec.Raw(b"null")
_OF_THE_ADDRESS: Final = frozenset({"model", "stream"})
_SIGNED_FROM: Final = 3.0

_encode = msgspec.json.Encoder().encode
_decode_any = msgspec.json.Decoder().decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_requests = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode


class _SoundContent(Content):
    role: str | None = None


class _SoundCandidate(Candidate, rename="camel"):
    content: _SoundContent | None = None


class _SoundAnswer(GenerateContentResponse, rename="camel"):
    """An answer as Google's typed clients can read it; imitators leave it odd."""

    candidates: list[_SoundCandidate] | None = None  # type: ignore[assignment]  # no list of others is put there


_decode_sound = msgspec.json.Decoder(_SoundAnswer).decode


def _sound(body: bytes) -> tuple[bytes, _SoundAnswer]:
    """The very same bytes where nothing is odd, else mended. Raises one of `UNDECODABLE`."""
    try:
        return body, _decode_sound(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        body = mended(body, _SoundAnswer)
        return body, _decode_sound(body)


def _ended(body: bytes) -> bytes:
    """A whole answer has ended, where it does not say so, too."""
    answer: Any = _decode_any(body)
    for candidate in answer["candidates"]:
        candidate["finishReason"] = candidate.get("finishReason") or "STOP"
    return _encode(answer)


class _Native:
    """What does not depend on the method. `drop` are parameters that an operator has left out."""

    stream_types = frozenset({"text/event-stream"})

    def __init__(self, drop: Sequence[str] = ()) -> None:
        self._reported = frozenset(drop) | NEVER_FORWARDED
        self._skipped = GATEWAY_FIELDS | self._reported | _OF_THE_ADDRESS

    def failure(self, status: int, headers: RawHeaders, body: bytes, call: DialectCall[R]) -> UpstreamFailure:
        return answered_failure(status, headers, body, call)

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:  # noqa: ARG002 - it tells none
        return ()

    def _fields(self, call: DialectCall[R]) -> tuple[dict[str, object], tuple[str, ...]]:
        """What is sent, and the names of what is not. Raises `UNSUPPORTED` where a strict key would lose something."""
        fields = call.payload.fields
        body: dict[str, object] = {
            name: raw for name, raw in fields.items() if name not in self._skipped and raw != _NULL
        }
        lost = [name for name in fields.keys() & self._reported if worth_a_report(name, fields[name])]
        return body, keep_strict(lost, strict=call.strict)


class GeminiContent(_Native):
    """`generateContent` and `streamGenerateContent?alt=sse`."""

    def encode(self, call: DialectCall[GenerateContentRequest], *, stream: bool) -> Encoded:  # noqa: ARG002 - the address
        body, lost = self._fields(call)
        body["contents"] = own_contents(call.payload.fields["contents"], call.model)
        return Encoded(_encode(body), lost)

    def read(self, body: bytes, call: DialectCall[GenerateContentRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        try:
            body, answer = _sound(body)
        except UNDECODABLE:
            raise unreadable(body, call.secret, "generated content") from None
        if answer.error != NO_ERROR:
            raise reported_failure(bytes(answer.error), call)
        candidates = answer.candidates or []
        if candidates and all(candidate.finish_reason in FAILURES for candidate in candidates):
            raise ended_badly(candidates[0].finish_reason or "")
        if not candidates and not answer.blocked:
            raise unreadable(body, call.secret, "generated content")
        if any(not candidate.finish_reason for candidate in candidates):
            body = _ended(body)
        usage = with_searches(token_usage(answer.usage_metadata), candidates, call.model)
        text = "\n".join(_texts(answer))
        return PlainAnswer(body, answer.model_version or call.model, usage, "" if usage is not None else text)

    def decoder(self, call: DialectCall[GenerateContentRequest], content_type: str) -> "ContentStreamDecoder":  # noqa: ARG002 - events
        return ContentStreamDecoder(call)

    def replay(self, answer: PlainAnswer, call: DialectCall[GenerateContentRequest]) -> Replay:  # noqa: ARG002 - a `Dialect`
        return Replay(b"", event(fields_on_one_line(answer.body)))


def own_contents(contents: Json, model: str) -> Json:
    """The contents with signatures that Google takes; the very same where all are its own."""
    raw = bytes(contents)
    foreign = OURS_IN_BASE64 in raw
    if not foreign and b'"functionCall"' not in raw:
        return contents
    signs = generation(model) >= _SIGNED_FROM
    turns = _decode_list(contents)
    made = [_own_turn(turn, signs=signs) if _may_be_odd(turn) else turn for turn in turns]
    return contents if all(new is old for new, old in zip(made, turns, strict=True)) else msgspec.Raw(_encode(made))


def _may_be_odd(turn: Json) -> bool:
    raw = bytes(turn)
    return OURS_IN_BASE64 in raw or (b'"functionCall"' in raw and b'"thoughtSignature"' not in raw)


def _own_turn(turn: Json, *, signs: bool) -> Json:
    """Of the calls of one turn the first alone is signed."""
    fields: Any = _decode_any(turn)
    parts = fields.get("parts") if isinstance(fields, dict) else None
    if not isinstance(parts, list):
        return turn
    kept: list[Any] = []
    signed = any(isinstance(part, dict) and _is_googles(part.get("thoughtSignature")) for part in parts)
    for given in parts:
        part = _without_ours(given)
        if signs and not signed and isinstance(part, dict) and "functionCall" in part:
            part["thoughtSignature"] = FOREIGN_SIGNATURE
            signed = True
        if part:
            kept.append(part)
    return msgspec.Raw(_encode(fields | {"parts": kept or [{"text": " "}]}))


def _without_ours(part: Any) -> Any:
    """Nothing for a part that is there for our signature alone."""
    signature = part.get("thoughtSignature") if isinstance(part, dict) else None
    if not isinstance(signature, str) or _is_googles(signature):
        return part
    rest = {name: value for name, value in part.items() if name != "thoughtSignature"}
    return None if rest == {"text": ""} else rest


def _is_googles(signature: object) -> bool:
    return isinstance(signature, str) and not signature.startswith(OURS_IN_BASE64.decode())


class _ContentReader(EventReader):
    """Reads along. The event with which every candidate has ended is `held` back: it closes the answer."""

    def __init__(self, call: DialectCall[GenerateContentRequest]) -> None:
        super().__init__(call.model)
        self.held = b""
        self._call = call
        self._seen = set(range(call.payload.value.answers))
        self._ended: dict[int, str] = {}
        self._grounded: dict[int, Candidate] = {}  # what searches are charged by stands in one event alone
        self._counted: TokenUsage | None = None

    @override
    def read(self, event: Event, text: bytes) -> bytes:
        sound, answer = _sound(event.data or b"")
        text = b"data: %b\n\n" % sound.replace(b"\n", b" ")  # google-genai reads no line without that space
        if answer.error != NO_ERROR:
            raise reported_failure(bytes(answer.error), self._call)
        if not (answer.candidates or answer.prompt_feedback or answer.usage_metadata):
            return b""  # a relay's ping, which Google's clients would take for an answer
        self.model = answer.model_version or self.model
        candidates = answer.candidates or []
        self._counted = token_usage(answer.usage_metadata) or self._counted
        self._grounded |= {each.index: each for each in candidates if each.grounding_metadata is not None}
        self.usage = with_searches(self._counted, [*self._grounded.values()], self._call.model)
        for said in _texts(answer):
            self.generated(said)
        for candidate in candidates:
            self._seen.add(candidate.index)
            if candidate.finish_reason:
                self._ended[candidate.index] = candidate.finish_reason
        bad = next((reason for reason in self._ended.values() if reason in FAILURES), None)
        self.complete = (answer.blocked and not self._ended) or self.complete or self._seen <= self._ended.keys()
        if self.complete and bad is not None and not self.has_content:
            raise ended_badly(bad)
        if not self.complete:
            return text
        before, self.held = self.held, text
        return before


class ContentStreamDecoder(EventStreamDecoder):
    """R-08: complete once every candidate that was asked for has said why it ended."""

    def __init__(self, call: DialectCall[GenerateContentRequest]) -> None:
        self._content = _ContentReader(call)
        super().__init__(self._content, lambda data: unreadable(data, call.secret, "generated content"))

    @override
    def _read(self, piece: bytes) -> bytes:
        passed = super()._read(piece)
        self.ending = self._content.held
        return passed


def _texts(answer: GenerateContentResponse) -> list[str]:
    """What was generated, calls with their arguments. Raises `UpstreamFailure` for one that nobody could run."""
    found: list[str] = []
    for candidate in answer.candidates or ():
        for part in candidate.parts:
            if part.text:
                found.append(part.text)
            if part.function_call is not None:
                if not part.function_call.name:
                    raise invalid_answer("a tool call came without its name")
                found.append(part.function_call.name + _encode(part.function_call.args or {}).decode())
            if part.inline_data is not None:
                found.append(part.inline_data.mime_type)
    return found


class _Count(msgspec.Struct, rename="camel"):
    total_tokens: int


class _Values(msgspec.Struct):
    values: list[float]


class _Embedded(msgspec.Struct, rename="camel"):
    embeddings: list[_Values]
    usage_metadata: UsageMetadata | None = None


_decode_count = TolerantDecoder(_Count)
_decode_embedded = msgspec.json.Decoder(_Embedded).decode


class _Whole(_Native):
    """A method whose answers come whole."""

    def decoder(self, call: DialectCall[R], content_type: str) -> Any:
        raise NotImplementedError("it does not stream")

    def replay(self, answer: PlainAnswer, call: DialectCall[R]) -> Replay | None:  # noqa: ARG002 - a `Dialect`
        return None


class GeminiTokenCount(_Whole):
    """`countTokens`, of the whole request: system instruction and tools count too. A count is no use of the model."""

    def encode(self, call: DialectCall[GenerateContentRequest], *, stream: bool) -> Encoded:  # noqa: ARG002 - counts come whole
        body, lost = self._fields(call)
        body["contents"] = own_contents(call.payload.fields["contents"], call.model)
        return Encoded(_encode({"generateContentRequest": {"model": resource(call.model), **body}}), lost)

    def read(self, body: bytes, call: DialectCall[GenerateContentRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        try:
            _decode_count(body)
        except UNDECODABLE:
            raise unreadable(body, call.secret, "a count of tokens") from None
        return PlainAnswer(body, call.model, TokenUsage())


class GeminiEmbedding(_Whole):
    """`embedContent` and `batchEmbedContents`, both as a batch, as Google's clients ask."""

    def encode(self, call: DialectCall[EmbedContentRequest], *, stream: bool) -> Encoded:  # noqa: ARG002 - vectors come whole
        body, lost = self._fields(call)
        named = {"model": msgspec.Raw(_encode(resource(call.model)))}
        given = body.get("requests")
        requests = _decode_requests(given) if isinstance(given, msgspec.Raw) else [body]
        return Encoded(_encode({"requests": [{**request, **named} for request in requests]}), lost)

    def read(self, body: bytes, call: DialectCall[EmbedContentRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        try:
            found = _decode_embedded(body)
        except UNDECODABLE:
            raise unreadable(body, call.secret, "a list of embeddings") from None
        request = call.payload.value
        if len(found.embeddings) != len(request.each()):
            raise unreadable(body, call.secret, "a list of embeddings")
        counted = found.usage_metadata.prompt_token_count if found.usage_metadata is not None else None
        usage = TokenUsage(input_tokens=counted) if counted is not None else None
        if request.requests is None:
            body = _encode({"embedding": found.embeddings[0]})
        return PlainAnswer(body, call.model, usage)


def resource(model: str) -> str:
    """A model as bodies name it."""
    return model if model.startswith(("models/", "tunedModels/")) else f"models/{model}"
