"""Reads responses as an upstream of the same API gives them: checked, their ids made to say where they are kept."""

from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from adapters.wire.call import PlainAnswer
from adapters.wire.charges import TOOL_ITEMS, BillingFields, with_billing, with_calls
from adapters.wire.errors import RefusalTable, failure_in_stream, unreadable
from adapters.wire.raw_json import UNDECODABLE, TolerantDecoder, without_odd_bytes
from domain.background_responses import KeptState
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


class _Usage(BillingFields):
    input_tokens: int | None = None
    output_tokens: int | None = None
    prompt_tokens: int | None = None  # servers that took their chat's counts over
    completion_tokens: int | None = None
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
    service_tier: object = None


class _Action(msgspec.Struct):
    type: str = ""


class _Item(msgspec.Struct):
    type: str = ""
    status: str = ""
    action: _Action | None = None
    container_id: str | None = None


class Facts(msgspec.Struct, frozen=True):
    """What reading an answer takes besides its bytes. `now` is Unix time."""

    provider_id: str
    model: str
    refusals: RefusalTable
    secret: Secret | None
    now: float
    owner_key: bytes = b""

    def failure(self, error: object) -> UpstreamFailure:
        """An error reported in a 200."""
        return failure_in_stream(error, self.refusals, secret=self.secret, now=self.now)

    def unreadable(self, data: bytes) -> UpstreamFailure:
        return unreadable(data, self.secret, "a response")


_decode_head = TolerantDecoder(ResponseHead)
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_items = TolerantDecoder(list[_Item])
_decode_usage = TolerantDecoder(_Usage)
_decode_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def read_native(body: bytes, facts: Facts) -> PlainAnswer:
    """Raises `UpstreamFailure` for a failed response and for what is none."""
    body = without_odd_bytes(body)
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
    usage = tokens(head)
    text = "" if usage is not None else bytes(head.output).decode()
    shown = with_kept_id(body, facts.provider_id, facts.owner_key)
    kept = None if head.store is False else KeptState(head.id, head.status or "completed", facts.model)
    return PlainAnswer(shown, head.model or facts.model, usage, text, kept=kept)


def with_kept_id(response: bytes | msgspec.Raw, provider_id: str, owner_key: bytes = b"") -> bytes:
    """A response's JSON, with its ids as clients of the gateway know them."""
    fields = _decode_fields(response)
    for name in ("id", "previous_response_id"):
        if fields.get(name, _NULL) != _NULL:
            fields[name] = msgspec.Raw(_encode(kept_id(provider_id, _decode_any(fields[name]), owner_key)))
    return _encode(fields)


def read_head(response: msgspec.Raw) -> ResponseHead:
    """Raises one of `UNDECODABLE`."""
    return _decode_head(response)


def tokens(head: ResponseHead) -> TokenUsage | None:
    """None where there is nothing to read. Usage that cannot be read is usage that never came."""
    if isinstance(head.usage, UnsetType) or head.usage == _NULL:
        return None
    try:
        usage = _decode_usage(head.usage)
    except UNDECODABLE:
        return None
    inputs, outputs = usage.input_tokens_details or _InputDetails(), usage.output_tokens_details or _OutputDetails()
    counted = TokenUsage(
        input_tokens=usage.input_tokens or usage.prompt_tokens or 0,
        output_tokens=usage.output_tokens or usage.completion_tokens or 0,
        cache_read_tokens=inputs.cached_tokens or 0,
        cache_write_tokens=inputs.cache_write_tokens or 0,
        reasoning_tokens=outputs.reasoning_tokens or 0,
        audio_input_tokens=inputs.audio_tokens or 0,
        audio_output_tokens=outputs.audio_tokens or 0,
        image_tokens=inputs.image_tokens or 0,
    )
    usage.service_tier = head.service_tier or usage.service_tier
    return with_calls(with_billing(counted, usage), _hosted_calls(head.output))


def _hosted_calls(output: msgspec.Raw | UnsetType) -> list[str]:
    """The fee of each call of a hosted tool. Of searches those that searched, of containers each one once.

    Source: platform.openai.com pricing, built-in tools (read 2026-11).
    """
    if isinstance(output, UnsetType) or b'_call"' not in bytes(output):
        return []
    try:
        items = _decode_items(output)
    except UNDECODABLE:
        return []
    containers: set[str] = set()
    calls: list[str] = []
    for item in items:
        if item.type not in TOOL_ITEMS or item.status == "failed":
            continue
        if item.action is not None and item.type == "web_search_call" and item.action.type not in {"", "search"}:
            continue  # opened a page, or looked into one
        if item.container_id is not None:
            if item.container_id in containers:
                continue
            containers.add(item.container_id)
        calls.append(TOOL_ITEMS[item.type])
    return calls
