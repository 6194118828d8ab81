"""A Responses request for an upstream that has the API: what came, with the model's name and its own ids put back."""

from typing import Final

import msgspec

from adapters.wire.call import Encoded
from adapters.wire.sift import NEVER_FORWARDED, keep_strict, worth_a_report
from adapters.wire.signatures import REASONING_ID_PREFIX
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.inference import GATEWAY_FIELDS
from domain.payload import Payload
from domain.response_ids import read_kept_id
from domain.responses import ResponsesRequest

_NULL: Final = msgspec.Raw(b"null")
_OWN_REASONING: Final = f'"{REASONING_ID_PREFIX}'.encode()


class _Head(msgspec.Struct):
    type: str | None = None
    id: str | None = None


_encode = msgspec.json.Encoder().encode
_decode_head = msgspec.json.Decoder(_Head).decode


def encode_native(
    payload: Payload[ResponsesRequest],
    model: str,
    provider_id: str,
    *,
    stream: bool,
    strict: bool,
    silent: frozenset[str],
    drop: frozenset[str],
) -> Encoded:
    """`silent` are left out without a word, `drop` with one. Raises `UNSUPPORTED` for a response kept elsewhere."""
    reported = NEVER_FORWARDED | drop
    skipped = GATEWAY_FIELDS | {"model", "stream"} | silent | reported
    out = {name: raw for name, raw in payload.fields.items() if name not in skipped and raw != _NULL}
    dropped = [name for name, raw in payload.fields.items() if name in reported and worth_a_report(name, raw)]
    out["model"] = msgspec.Raw(_encode(model))
    if stream:
        out["stream"] = msgspec.Raw(b"true")
    previous = payload.value.previous_response_id
    if previous is not None and "previous_response_id" in out:
        out["previous_response_id"] = msgspec.Raw(_encode(_upstreams_own(previous, provider_id)))
    if "input" in out and _OWN_REASONING in bytes(out["input"]):
        out["input"] = _without_own_reasoning(payload.value)
    return Encoded(_encode(out), keep_strict(dropped, strict=strict) if dropped else ())


def _upstreams_own(response_id: str, provider_id: str) -> str:
    kept = read_kept_id(response_id)
    if kept is None or kept.provider_id != provider_id:
        raise UpstreamFailure(
            FailureKind.UNSUPPORTED,
            f"Previous response with id '{response_id}' not found: another provider keeps it, or none.",
            status=400,
            type_="invalid_request_error",
            code="previous_response_not_found",
            param="previous_response_id",
        )
    return kept.upstream_id


def _without_own_reasoning(request: ResponsesRequest) -> msgspec.Raw:
    """An upstream refuses reasoning it cannot unseal: what was carried over another one's chat stays out."""
    if not isinstance(request.input, list):
        return msgspec.Raw(_encode(request.input))
    kept = []
    for raw in request.input:
        head = _decode_head(raw) if _OWN_REASONING in bytes(raw) else _Head()
        if head.type != "reasoning" or not (head.id or "").startswith(REASONING_ID_PREFIX):
            kept.append(raw)
    return msgspec.Raw(_encode(kept))
