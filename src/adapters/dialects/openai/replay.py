"""Tells a plain answer as a stream, for upstreams that answer a streamed request with one JSON body."""

import msgspec

from adapters.dialects.openai.chunk import OBJECT, Fields
from adapters.wire.answer import PlainAnswer

_decode_fields = msgspec.json.Decoder(Fields).decode
_decode_list = msgspec.json.Decoder(list[Fields]).decode
_encode = msgspec.json.Encoder().encode

_HEAD = ("id", "created", "model", "system_fingerprint", "service_tier")


def as_events(answer: PlainAnswer) -> bytes:
    """The server-sent events of a `chat.completion`, `[DONE]` included."""
    fields = _decode_fields(answer.body)
    head: dict[str, object] = {name: fields[name] for name in _HEAD if name in fields}
    head["object"] = OBJECT
    chunks: list[dict[str, object]] = []
    for choice in _decode_list(fields["choices"]):
        delta: dict[str, object] = {**_decode_fields(choice["message"])}
        calls = delta.pop("tool_calls", None)
        if isinstance(calls, msgspec.Raw) and calls != msgspec.Raw(b"null"):
            delta["tool_calls"] = [{"index": place, **call} for place, call in enumerate(_decode_list(calls))]
        said = {"index": choice["index"], "delta": delta, "finish_reason": None}
        if "logprobs" in choice:
            said["logprobs"] = choice["logprobs"]
        chunks.append({**head, "choices": [said]})
        chunks.append(
            {**head, "choices": [{"index": choice["index"], "delta": {}, "finish_reason": choice["finish_reason"]}]}
        )
    if "usage" in fields:
        chunks.append({**head, "choices": [], "usage": fields["usage"]})
    return b"".join(b"data: %b\n\n" % _encode(chunk) for chunk in chunks) + b"data: [DONE]\n\n"
