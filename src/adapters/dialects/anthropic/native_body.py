"""Requests of the Messages API for an upstream that speaks it: passed on as they came, but for the model and thoughts
that it never signed.

Top-level fields are raw JSON, so that cache marks, thoughts and what is not known here survive byte for byte;
the gateway's own fields and those that would choose a destination are left out (S-07).
"""

from typing import Final

import msgspec

from adapters.dialects.anthropic.headers import body_fields, request_headers
from adapters.dialects.anthropic.settings import AnthropicSettings
from adapters.wire.answer import Encoded
from adapters.wire.call import WireCall
from adapters.wire.sift import NEVER_FORWARDED, keep_strict, worth_a_report
from adapters.wire.unsigned_thoughts import without_unsigned_thoughts
from domain.inference import GATEWAY_FIELDS
from domain.messages import MessagesRequest

_NULL: Final = msgspec.Raw(b"null")

_encode = msgspec.json.Encoder().encode


class NativeEncoder:
    """Encodes for one upstream. `drop` are an operator's own parameters to leave out; `without` are never sent."""

    def __init__(self, settings: AnthropicSettings, drop: frozenset[str], without: frozenset[str]) -> None:
        self._settings = settings
        self._reported = drop | NEVER_FORWARDED
        self._skipped = GATEWAY_FIELDS | self._reported | without
        if not settings.model_in_body:
            self._skipped |= {"model"}

    def encode(self, call: WireCall[MessagesRequest], *, stream: bool) -> Encoded:
        """The client's body. Raises `UNSUPPORTED` where a strict key would lose something."""
        fields, settings = call.payload.fields, self._settings
        body: dict[str, object] = {
            name: raw for name, raw in fields.items() if name not in self._skipped and raw != _NULL
        }
        if settings.model_in_body:
            body["model"] = call.model
        body.pop("stream", None)
        if stream and settings.stream_in_body:
            body["stream"] = True
        body |= body_fields(settings, call.client_headers)
        lost = [name for name in fields.keys() & self._reported if worth_a_report(name, fields[name])]
        if (messages := without_unsigned_thoughts(fields["messages"])) is not None:
            body["messages"] = messages
            lost.append("messages.thinking")
        return Encoded(
            _encode(body),
            keep_strict(lost, strict=call.strict),
            headers=request_headers(settings, call.client_headers),
        )
