"""Edits inside `messages`, made only where an upstream would refuse the list as it is.

Messages are otherwise forwarded as the bytes they came; here they are taken apart one level deep.
"""

import hashlib
import string
from collections.abc import Sequence

import msgspec

from adapters.dialects.openai.quirks import REASONING_FIELDS, Quirks
from domain.chat import Message

_ALPHANUMERIC = string.digits + string.ascii_letters
_SYSTEM = msgspec.Raw(b'"system"')
_INSTRUCTING = frozenset({"system", "developer"})

_decode = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_decode_calls = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_decode_text = msgspec.json.Decoder(str).decode
_encode = msgspec.json.Encoder().encode


class MessageEditor:
    """Makes a message list acceptable to one upstream."""

    def __init__(self, quirks: Quirks) -> None:
        self._roles = not quirks.developer_role
        self._one_system = not quirks.system_anywhere
        self._refused = tuple(name for name in REASONING_FIELDS if name not in quirks.message_fields)
        self._marks = tuple(f'"{name}"'.encode() for name in self._refused)
        self._names = not quirks.message_names
        self._id_length = quirks.tool_call_id_length

    def edit(self, messages: Sequence[Message], raw: msgspec.Raw) -> tuple[msgspec.Raw, tuple[str, ...]]:
        """The list to send, and what was left out of it (`messages.name`). Untouched where nothing is amiss."""
        if not self._amiss(messages, raw):
            return raw, ()
        dropped: dict[str, None] = {}
        edited = _decode(raw)
        for message, fields in zip(messages, edited, strict=True):
            if self._roles and message.role == "developer":
                fields["role"] = _SYSTEM
            if message.role == "assistant":
                for name in self._refused:
                    if fields.pop(name, None) is not None:
                        dropped[f"messages.{name}"] = None
            if self._names and fields.pop("name", None) is not None:
                dropped["messages.name"] = None
            if self._id_length is not None:
                _shorten_ids(fields, self._id_length)
        if self._one_system and _has_scattered_system(messages):
            edited = _gathered(messages, edited)
        return msgspec.Raw(_encode(edited)), tuple(dropped)

    def _amiss(self, messages: Sequence[Message], raw: msgspec.Raw) -> bool:
        if self._roles and any(message.role == "developer" for message in messages):
            return True
        if self._one_system and _has_scattered_system(messages):
            return True
        if self._names and any(message.name is not None for message in messages):
            return True
        if self._id_length is not None and any(message.tool_calls or message.tool_call_id for message in messages):
            return True
        if self._marks and any(message.role == "assistant" for message in messages):
            text = bytes(raw)
            return any(mark in text for mark in self._marks)
        return False


def _has_scattered_system(messages: Sequence[Message]) -> bool:
    return any(message.role in _INSTRUCTING for message in messages[1:])


def _gathered(messages: Sequence[Message], edited: list[dict[str, msgspec.Raw]]) -> list[dict[str, msgspec.Raw]]:
    """All instructions in one message at the beginning, in their order: nothing is lost, and turns still alternate."""
    texts = [text for message in messages if message.role in _INSTRUCTING and (text := _text(message))]
    others = [fields for message, fields in zip(messages, edited, strict=True) if message.role not in _INSTRUCTING]
    return [{"role": _SYSTEM, "content": msgspec.Raw(_encode("\n\n".join(texts)))}, *others]


def _text(message: Message) -> str:
    if isinstance(message.content, str):
        return message.content
    return "\n".join(part.text for part in message.content or () if part.text)


def _shorten_ids(fields: dict[str, msgspec.Raw], length: int) -> None:
    """The same id becomes the same short one everywhere, so that a tool's result still finds its call."""
    answered = fields.get("tool_call_id")
    if answered is not None and bytes(answered) != b"null":
        fields["tool_call_id"] = _short_id(answered, length)
    calls = fields.get("tool_calls")
    if calls is None or bytes(calls) == b"null":
        return
    decoded = _decode_calls(calls)
    for call in decoded:
        if "id" in call:
            call["id"] = _short_id(call["id"], length)
    fields["tool_calls"] = msgspec.Raw(_encode(decoded))


def _short_id(raw: msgspec.Raw, length: int) -> msgspec.Raw:
    call_id = _decode_text(raw)
    if len(call_id) == length and call_id.isascii() and call_id.isalnum():
        return raw
    digest = hashlib.sha256(call_id.encode()).digest()
    return msgspec.Raw(_encode("".join(_ALPHANUMERIC[byte % 62] for byte in digest[:length])))
