"""Encodes a chat request for one upstream: a shallow re-encoding of what was parsed.

Top-level fields are raw JSON, so what the gateway does not model survives byte for byte, and a duplicated
key cannot say one thing to policy and another to the provider. Only what the quirks name is touched.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from adapters.dialects.openai.messages import MessageEditor
from adapters.dialects.openai.quirks import Quirks
from domain.chat import GATEWAY_FIELDS, ChatRequest
from domain.wire import Payload

NEVER_FORWARDED: Final = frozenset(
    "api_base base_url api_key api_version api_type organization project extra_headers headers extra_query "
    "proxy proxies timeout http_client custom_llm_provider litellm_params azure_endpoint azure_ad_token "
    "aws_access_key_id aws_secret_access_key aws_session_token aws_region_name vertex_credentials "
    "vertex_project vertex_location callback_url webhook_url url endpoint host organization_id http_proxy https_proxy "
    "credentials authorization custom_host".split()
)
"""Names by which other gateways let a body choose a destination or a credential (S-07)."""

_NULL: Final = msgspec.Raw(b"null")
_TRUE: Final = msgspec.Raw(b"true")
_INCLUDE_USAGE: Final = msgspec.Raw(b'{"include_usage":true}')

_NEUTRAL: Final[dict[str, tuple[bytes, ...]]] = {
    "n": (b"1",),
    "logprobs": (b"false",),
    "store": (b"false",),
    "frequency_penalty": (b"0", b"0.0"),
    "presence_penalty": (b"0", b"0.0"),
    "logit_bias": (b"{}",),
    "metadata": (b"{}",),
    "parallel_tool_calls": (b"true",),
    "service_tier": (b'"auto"', b'"default"'),
    "modalities": (b'["text"]',),
    "top_logprobs": (b"0",),
}
"""Values that say what an upstream does anyway: left out, they are not worth a report."""

_encode = msgspec.json.Encoder().encode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class RequestEncoder:
    """Encodes chat requests for one upstream. `drop` adds an operator's own to the quirks'."""

    def __init__(self, quirks: Quirks, drop: Iterable[str] = ()) -> None:
        self._quirks = quirks
        self._reported = quirks.drop | frozenset(drop) | NEVER_FORWARDED
        self._skipped = GATEWAY_FIELDS | {"model", "stream", "stream_options"} | self._reported
        self._messages = MessageEditor(quirks)

    def encode(self, payload: Payload[ChatRequest], model: str, *, stream: bool) -> tuple[bytes, tuple[str, ...]]:
        """The body to send, and the parameters that could not be carried over."""
        fields, request = payload.fields, payload.value
        skipped = self._skipped
        out = {name: raw for name, raw in fields.items() if name not in skipped and raw != _NULL}
        dropped = [name for name in fields.keys() & self._reported if self._worth_a_report(name, fields[name])]
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
        return _encode(out), tuple(sorted(dropped)) if dropped else ()

    def _worth_a_report(self, name: str, raw: msgspec.Raw) -> bool:
        value = bytes(raw)
        return value != b"null" and value not in _NEUTRAL.get(name, ())

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
