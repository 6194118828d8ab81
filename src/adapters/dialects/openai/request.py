"""Encodes a chat request for one upstream: a shallow re-encoding of what was parsed.

Top-level fields are raw JSON, so what the gateway does not model survives byte for byte, and a duplicated
key cannot say one thing to policy and another to the provider. Only what the quirks name is touched.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from adapters.dialects.openai.messages import MessageEditor
from adapters.dialects.openai.quirks import Quirks
from adapters.wire.sift import NEVER_FORWARDED, keep_strict, worth_a_report
from domain.chat import ChatRequest
from domain.inference import GATEWAY_FIELDS
from domain.wire import Payload

_NULL: Final = msgspec.Raw(b"null")
_TRUE: Final = msgspec.Raw(b"true")
_INCLUDE_USAGE: Final = msgspec.Raw(b'{"include_usage":true}')

_encode = msgspec.json.Encoder().encode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class RequestEncoder:
    """Encodes chat requests for one upstream. `drop` adds an operator's own to the quirks'."""

    def __init__(self, quirks: Quirks, drop: Iterable[str] = ()) -> None:
        self._quirks = quirks
        self._reported = quirks.drop | frozenset(drop) | NEVER_FORWARDED
        self._skipped = GATEWAY_FIELDS | {"model", "stream", "stream_options"} | self._reported
        self._messages = MessageEditor(quirks)

    def encode(
        self, payload: Payload[ChatRequest], model: str, *, stream: bool, strict: bool = False
    ) -> tuple[bytes, tuple[str, ...]]:
        """The body to send, and the parameters that could not be carried over."""
        fields, request = payload.fields, payload.value
        skipped = self._skipped
        out = {name: raw for name, raw in fields.items() if name not in skipped and raw != _NULL}
        dropped: list[str] = []
        if not self._reported.isdisjoint(fields):
            dropped = [name for name in fields if name in self._reported and worth_a_report(name, fields[name])]
        out["model"] = msgspec.Raw(_encode(model))
        out["messages"], left_out = self._messages.edit(request.messages, out["messages"])
        dropped.extend(left_out)
        if stream:
            self._ask_for_stream(out, fields)
        if request.stop is not None and not request.stop:
            out.pop("stop", None)
        if not request.tools:
            for name in ("tools", "tool_choice", "parallel_tool_calls"):
                out.pop(name, None)
        self._one_max_tokens(out, dropped)
        self._rename_and_rewrite(out, dropped)
        return _encode(out), keep_strict(dropped, strict=strict) if dropped else ()

    def _ask_for_stream(self, out: dict[str, msgspec.Raw], fields: dict[str, msgspec.Raw]) -> None:
        out["stream"] = _TRUE
        if not self._quirks.stream_usage or "stream_options" in self._reported:
            return
        options = fields.get("stream_options")
        if options is None or options == _NULL:
            out["stream_options"] = _INCLUDE_USAGE
        else:
            out["stream_options"] = msgspec.Raw(_encode(_decode_fields(options) | {"include_usage": _TRUE}))

    def _one_max_tokens(self, out: dict[str, msgspec.Raw], dropped: list[str]) -> None:
        """OpenAI refuses a request with both names; of two values the one under the kept name wins."""
        kept = self._quirks.max_tokens_field or ("max_completion_tokens" if "max_completion_tokens" in out else "")
        other = "max_tokens" if kept == "max_completion_tokens" else "max_completion_tokens"
        if not kept or other not in out:
            return
        value = out.pop(other)
        if out.setdefault(kept, value) != value:
            dropped.append(other)

    def _rename_and_rewrite(self, out: dict[str, msgspec.Raw], dropped: list[str]) -> None:
        for name, table in self._quirks.rewrite.items():
            if name in out:
                value = bytes(out[name])
                replacement = table.get("{" if value.startswith(b"{") else value.decode())
                if replacement is not None:
                    out[name] = msgspec.Raw(replacement.encode())
                    dropped.append(name)
        for name, new_name in self._quirks.rename.items():
            if name in out:
                out.setdefault(new_name, out.pop(name))
