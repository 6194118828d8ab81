"""Google's requests in one spelling: proto JSON takes `inline_data` as well as `inlineData`, and lists of one bare.

    {"system_instruction": "Be brief.", "contents": "Hi"}
    {"systemInstruction": {"parts": [{"text": "Be brief."}]}, "contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}

What a client has named itself keeps its names: the arguments and results of functions, and the properties of schemas.
Source: protobuf.dev, ProtoJSON; google-genai 3.6, which sends both spellings in one body; ai.google.dev (read 2026-11).
"""

import re
from typing import Final

import msgspec

_SNAKE: Final = re.compile(rb'"[a-z]+(?:_[a-z0-9]+)+"\s*:')
_NAME: Final = re.compile(r"[a-z]+(?:_[a-z0-9]+)+")
_HOLDS_TEXT: Final = re.compile(rb'\[\s*"')
_TAIL: Final = re.compile(r"_([a-z0-9])")

_OPAQUE: Final = frozenset(
    "args default example labels metadata parametersJsonSchema partMetadata provider response "
    "responseJsonSchema".split()
)
"""Below these names all is the client's own."""
_NAMED_BY_THE_CLIENT: Final = frozenset({"properties", "$defs", "defs"})
"""Below these, every second name is: what the properties of a schema are called."""

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def needs_respelling(body: bytes) -> bool:
    """Whether a name in it may be in snake_case. Names in texts are escaped, so only those of objects are found."""
    return _SNAKE.search(body) is not None


def respelt(body: bytes) -> bytes:
    """The same request in camelCase. Raises `msgspec.DecodeError` or `RecursionError` for what is no JSON."""
    return _encode(_spelt(_decode(body)))


def _spelt(value: object) -> object:
    if isinstance(value, list):
        return [_spelt(item) for item in value]
    if not isinstance(value, dict):
        return value
    made: dict[str, object] = {}
    for given, item in value.items():
        name = _camel(given)
        if name in _OPAQUE:
            made[name] = item
        elif name in _NAMED_BY_THE_CLIENT and isinstance(item, dict):
            made[name] = {key: _spelt(schema) for key, schema in item.items()}
        else:
            made[name] = _spelt(item)
    return made


def _camel(name: str) -> str:
    return _TAIL.sub(lambda found: found[1].upper(), name) if _NAME.fullmatch(name) else name


def whole(name: str, raw: msgspec.Raw) -> msgspec.Raw:
    """A top-level field with what proto JSON and Google's clients leave out: a list of one, a content of one text."""
    if name in {"systemInstruction", "content"}:
        return _content(raw)
    if name != "contents":
        return raw
    if bytes(raw).startswith((b"{", b'"')):
        return msgspec.Raw(b"[" + bytes(_content(raw)) + b"]")
    if not bytes(raw).startswith(b"[") or not _HOLDS_TEXT.search(raw):
        return raw
    return msgspec.Raw(_encode([_content(item) for item in msgspec.json.decode(raw, type=list[msgspec.Raw])]))


def _content(raw: msgspec.Raw) -> msgspec.Raw:
    if not bytes(raw).startswith(b'"'):
        return raw
    return msgspec.Raw(b'{"role":"user","parts":[{"text":' + bytes(raw) + b"}]}")
