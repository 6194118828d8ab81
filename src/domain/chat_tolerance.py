"""Slips that real clients make and OpenAI's own SDKs would not: mended once, after strict decoding said no.

Source: captures and client sources of November 2026. What is mended here is what is then forwarded, so an
upstream gets the shape it knows.
"""

import re
from collections.abc import Callable

import msgspec

from domain.chat_from_items import from_items

_Fields = dict[str, msgspec.Raw]

_INTEGERS = ("max_tokens", "max_completion_tokens", "n", "seed", "top_logprobs")
_NUMBERS = ("temperature", "top_p", "frequency_penalty", "presence_penalty", *_INTEGERS)
_UNLIMITED = ("max_tokens", "max_completion_tokens")
_FUNCTION_FIELDS = ("name", "description", "parameters", "strict")
_FUNCTION = msgspec.Raw(b'"function"')
_NULL = msgspec.Raw(b"null")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_decode_fields = msgspec.json.Decoder(_Fields).decode
_decode_list = msgspec.json.Decoder(list[_Fields]).decode
_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_text = msgspec.json.Decoder(str).decode


def forgive(fields: _Fields) -> _Fields | None:
    """The chat request with known slips mended, or None where there is nothing of the kind in it.

    Numbers as strings, integers as `5.0`, `max_tokens: -1` for no limit, a JSON schema without a name, tools
    without a type or with the function's fields beside it, image URLs and content parts as bare strings,
    arguments as objects; and whole requests in the shape of Responses.
    """
    mended = dict(from_items(fields))
    for name in _NUMBERS:
        _mend(mended, name, _number)
    for name in _INTEGERS:
        _mend(mended, name, _integer)
    for name in _UNLIMITED:
        if mended.get(name) == msgspec.Raw(b"-1"):
            del mended[name]
    _mend(mended, "response_format", _response_format)
    _mend(mended, "tools", lambda raw: _each(raw, _tool))
    _mend(mended, "messages", lambda raw: _each(raw, _message))
    return None if mended == fields else mended


def _mend(fields: _Fields, name: str, mend: Callable[[msgspec.Raw], msgspec.Raw]) -> None:
    """What cannot be taken apart stays as it is, for the decoder to complain about."""
    raw = fields.get(name)
    if raw is None or raw == _NULL:
        return
    try:
        fields[name] = mend(raw)
    except msgspec.MsgspecError:
        return


def _each(raw: msgspec.Raw, mend: Callable[[_Fields], None]) -> msgspec.Raw:
    items = _decode_list(raw)
    before = [dict(item) for item in items]
    for item in items:
        mend(item)
    return raw if items == before else _raw(items)


def _number(raw: msgspec.Raw) -> msgspec.Raw:
    if not bytes(raw).startswith(b'"'):
        return raw
    text = _decode_text(raw).strip()
    value: object = _decode(text)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return msgspec.Raw(text.encode()) if is_number else raw


def _integer(raw: msgspec.Raw) -> msgspec.Raw:
    whole = re.fullmatch(rb"(-?\d+)\.0+", bytes(raw))
    return msgspec.Raw(whole[1]) if whole else raw


def _response_format(raw: msgspec.Raw) -> msgspec.Raw:
    fields = _decode_fields(raw)
    schema = fields.get("json_schema")
    if schema is None or schema == _NULL:
        return raw
    inner = _decode_fields(schema)
    if "name" in inner:
        return raw
    fields["json_schema"] = _raw({"name": "answer", **inner})
    return _raw(fields)


def _tool(tool: _Fields) -> None:
    if "type" not in tool and "custom" not in tool:
        tool["type"] = _FUNCTION
    if tool.get("type") == _FUNCTION and "function" not in tool and "name" in tool:
        tool["function"] = _raw({name: tool.pop(name) for name in _FUNCTION_FIELDS if name in tool})


def _message(message: _Fields) -> None:
    _mend(message, "content", lambda raw: _content(raw, message.get("role")))
    _mend(message, "tool_calls", lambda raw: _each(raw, _tool_call))
    _mend(message, "function_call", _call)


def _content(raw: msgspec.Raw, role: msgspec.Raw | None) -> msgspec.Raw:
    if bytes(raw).startswith(b"{") and role == msgspec.Raw(b'"tool"'):
        return _raw(bytes(raw).decode())
    if not bytes(raw).startswith(b"["):
        return raw
    parts = _decode_items(raw)
    mended = [_part(part) for part in parts]
    return raw if mended == parts else _raw(mended)


def _part(raw: msgspec.Raw) -> msgspec.Raw:
    if bytes(raw).startswith(b'"'):
        return _raw({"type": "text", "text": raw})
    part = _decode_fields(raw)
    url = part.get("image_url")
    if url is None or not bytes(url).startswith(b'"'):
        return raw
    return _raw({**part, "type": "image_url", "image_url": {"url": url}})


def _tool_call(call: _Fields) -> None:
    if "type" not in call and "function" in call:
        call["type"] = _FUNCTION
    _mend(call, "function", _call)


def _call(raw: msgspec.Raw) -> msgspec.Raw:
    fields = _decode_fields(raw)
    arguments = fields.get("arguments")
    if arguments is None or not bytes(arguments).startswith((b"{", b"[")):
        return raw
    return _raw({**fields, "arguments": bytes(arguments).decode()})


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(_encode(value))
