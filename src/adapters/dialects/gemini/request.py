"""Writes a chat request as Gemini's `generateContent` takes it. Source: google-genai 3.4 types (November 2026)."""

from typing import Final

import msgspec

from adapters.dialects.gemini.contents import ContentsWriter
from adapters.dialects.gemini.generation_config import generation_config
from adapters.dialects.gemini.params import CHAT_FIDELITY, OWN_FIELDS
from adapters.dialects.gemini.settings import GeminiSettings
from adapters.dialects.gemini.tools import tool_config, tools
from adapters.wire.answer import Encoded
from adapters.wire.call import WireCall
from adapters.wire.chat_history import history
from adapters.wire.sift import keep_strict, sift, unsupported, worth_a_report
from domain.chat import ChatRequest
from domain.inference import Json

_KNOWN: Final = CHAT_FIDELITY | OWN_FIELDS
_NULL: Final = b"null"

_encode = msgspec.json.Encoder().encode


class _Google(msgspec.Struct, frozen=True):
    """What Google's own OpenAI-compatible endpoint reads in `extra_body`."""

    thinking_config: dict[str, Json] | None = None
    cached_content: str | None = None
    safety_settings: list[Json] | None = None


class _ExtraBody(msgspec.Struct):
    google: _Google = _Google()
    extra_body: "_ExtraBody | None" = None  # openai-python takes one layer off; some callers nest twice


_decode_extra = msgspec.json.Decoder(_ExtraBody).decode


def encode_chat(call: WireCall[ChatRequest], settings: GeminiSettings) -> Encoded:
    """The body to send. Raises `UNSUPPORTED` for what Gemini cannot do."""
    payload, request = call.payload, call.payload.value
    fields = {name: raw for name, raw in payload.fields.items() if name not in settings.drop}
    by_operator = [
        name for name in settings.drop if name in payload.fields and worth_a_report(name, payload.fields[name])
    ]
    if by_operator:
        request = msgspec.structs.replace(request, **{name: None for name in by_operator if name in _OPTIONAL})
        payload = msgspec.structs.replace(payload, value=request, fields=fields)
    dropped = [*by_operator, *sift(fields, _KNOWN, ignored=("model", "messages"))]
    messages = history(payload)
    if any(message.name is not None and message.role not in {"tool", "function"} for message in messages):
        dropped.append("messages.name")
    contents, instruction = ContentsWriter(call.model, settings).write(messages)
    body: dict[str, object] = {"contents": contents}
    if instruction is not None:
        body["systemInstruction"] = instruction
    offered = tools(request, call.model, settings)
    if offered:
        body["tools"] = offered
    choice = tool_config(request.tool_choice) if request.tools else {}
    if choice:
        body["toolConfig"] = choice
    config, left_out = generation_config(payload, call.model, settings)
    dropped += left_out
    if "safety_settings" in fields and fields["safety_settings"] != _NULL:
        body["safetySettings"] = fields["safety_settings"]
    if "extra_body" in fields and fields["extra_body"] != _NULL:
        _take_extra(fields["extra_body"], body, config)
    if config:
        body["generationConfig"] = config
    return Encoded(_encode(body), keep_strict(dropped, strict=call.strict))


_OPTIONAL: Final = frozenset(ChatRequest.__struct_fields__) - {"model", "messages"}


def _take_extra(raw: msgspec.Raw, body: dict[str, object], config: dict[str, object]) -> None:
    try:
        extra = _decode_extra(raw)
    except msgspec.ValidationError as error:
        raise unsupported("extra_body", f"of extra_body.google: {error}") from None
    google = extra.google if extra.extra_body is None else extra.extra_body.google
    if google.thinking_config is not None:
        config["thinkingConfig"] = google.thinking_config  # in its writer's hands: Gemini takes both spellings
    if google.cached_content is not None:
        body["cachedContent"] = google.cached_content
    if google.safety_settings is not None:
        body["safetySettings"] = google.safety_settings
