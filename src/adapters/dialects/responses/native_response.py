"""Reads responses as an upstream of the same API gives them: checked, their ids made to say where they are kept."""

from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from adapters.wire.answer import PlainAnswer
from adapters.wire.errors import RefusalTable, failure_in_stream, unreadable
from adapters.wire.undecodable import UNDECODABLE
from domain.errors import UpstreamFailure
from domain.response_ids import kept_id
from domain.secrets import Secret
from domain.usage import TokenUsage

_NULL: Final = msgspec.Raw(b"null")


class _InputDetails(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None


class _Usage(msgspec.Struct):
    input_tokens: int = 0
    output_tokens: int = 0
    input_tokens_details: _InputDetails | None = None
    output_tokens_details: _OutputDetails | None = None


class ResponseHead(msgspec.Struct):
    """What is read of a response; the rest stays as it came."""

    id: str
    status: str | None = None
    model: str | None = None
    error: Any = None
    usage: msgspec.Raw | UnsetType = UNSET
    store: bool | None = None
    output: msgspec.Raw | UnsetType = UNSET


class Facts(msgspec.Struct, frozen=True):
    """What reading an answer takes besides its bytes. `now` is Unix time."""

    provider_id: str
    model: str
    refusals: RefusalTable
    secret: Secret | None
    now: float

    def failure(self, error: object) -> UpstreamFailure:
        """An error told in a 200."""
        return failure_in_stream(error, self.refusals, secret=self.secret, now=self.now)

    def unreadable(self, data: bytes) -> UpstreamFailure:
        return unreadable(data, self.secret, "a response")


_decode_head = msgspec.json.Decoder(ResponseHead).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_usage = msgspec.json.Decoder(_Usage).decode
_decode_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def read_native(body: bytes, facts: Facts) -> PlainAnswer:
    """Raises `UpstreamFailure` for a failed response and for what is none."""
    try:
        fields = _decode_fields(body)
    except UNDECODABLE:
        raise facts.unreadable(body) from None
    if "id" not in fields and fields.get("error", _NULL) != _NULL:
        raise facts.failure(_decode_any(fields["error"]))
    try:
        head = _decode_head(body)
    except UNDECODABLE:
        raise facts.unreadable(body) from None
    if head.status == "failed":
        raise facts.failure(head.error)
    if isinstance(head.output, UnsetType):
        raise facts.unreadable(body)
    usage = tokens(head.usage)
    text = "" if usage is not None else bytes(head.output).decode()
    return PlainAnswer(with_kept_id(body, facts.provider_id), head.model or facts.model, usage, text)


def with_kept_id(response: bytes | msgspec.Raw, provider_id: str) -> bytes:
    """A response's JSON, with its ids as clients of the gateway know them."""
    fields = _decode_fields(response)
    for name in ("id", "previous_response_id"):
        if fields.get(name, _NULL) != _NULL:
            fields[name] = msgspec.Raw(_encode(kept_id(provider_id, _decode_any(fields[name]))))
    return _encode(fields)


def read_head(response: msgspec.Raw) -> ResponseHead:
    """Raises one of `UNDECODABLE`."""
    return _decode_head(response)


def tokens(raw: msgspec.Raw | UnsetType) -> TokenUsage | None:
    """None where there is nothing to read. Usage that cannot be read is usage that never came."""
    if isinstance(raw, UnsetType) or raw == _NULL:
        return None
    try:
        usage = _decode_usage(raw)
    except UNDECODABLE:
        return None
    inputs, outputs = usage.input_tokens_details or _InputDetails(), usage.output_tokens_details or _OutputDetails()
    return TokenUsage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=inputs.cached_tokens or 0,
        cache_write_tokens=inputs.cache_write_tokens or 0,
        reasoning_tokens=outputs.reasoning_tokens or 0,
        audio_input_tokens=inputs.audio_tokens or 0,
        audio_output_tokens=outputs.audio_tokens or 0,
        image_tokens=inputs.image_tokens or 0,
    )
