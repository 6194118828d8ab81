"""One streamed chunk as upstreams send it, read leanly, and the edits that make it OpenAI's.

Only the fields that decide something are read; the rest stays raw and survives an edit byte for byte.
"""

from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from adapters.dialects.openai.tool_calls import ToolDelta

OBJECT: Final = "chat.completion.chunk"
NULL: Final = msgspec.Raw(b"null")

OptionalRaw = msgspec.Raw | UnsetType
Fields = dict[str, msgspec.Raw]


_Anything = object  # a field of an answer has that name


class Delta(msgspec.Struct):
    role: str | None = None
    content: str | list[object] | None = None
    tool_calls: list[ToolDelta] | None = None
    reasoning_content: OptionalRaw = UNSET
    reasoning: OptionalRaw = UNSET
    reasoning_details: OptionalRaw = UNSET
    refusal: str | None = None
    function_call: OptionalRaw = UNSET
    audio: OptionalRaw = UNSET
    annotations: OptionalRaw = UNSET

    def other_content_bytes(self) -> int:
        """Bytes of generated content that is neither text nor a tool call."""
        fields = (self.reasoning_content, self.reasoning, self.reasoning_details)
        size = sum(_content_bytes(field) for field in fields)
        size += sum(_content_bytes(field) for field in (self.function_call, self.audio))
        return size + len(self.refusal.encode()) if self.refusal else size


class Choice(msgspec.Struct):
    index: int | None = None
    delta: Delta | None = None
    finish_reason: str | UnsetType | None = UNSET
    usage: OptionalRaw = UNSET  # Moonshot
    error: OptionalRaw = UNSET  # OpenRouter


class GroqExtra(msgspec.Struct):
    usage: OptionalRaw = UNSET
    error: OptionalRaw = UNSET


class Chunk(msgspec.Struct):
    choices: list[Choice] | UnsetType | None = UNSET
    id: str | None = None
    object: str | None = None
    created: int | float | None = None
    model: str | None = None
    usage: OptionalRaw = UNSET
    error: OptionalRaw = UNSET
    x_groq: GroqExtra | None = None
    service_tier: _Anything = None


class ChoiceEdit(msgspec.Struct):
    """New values for a choice's fields and its delta's; None removes one. `bare`: it came without a delta."""

    fields: dict[str, msgspec.Raw | None]
    delta: dict[str, msgspec.Raw | None]
    bare: bool

    def __bool__(self) -> bool:
        return bool(self.fields or self.delta or self.bare)


_decode_fields = msgspec.json.Decoder(Fields).decode
_decode_choices = msgspec.json.Decoder(list[Fields]).decode
_encode = msgspec.json.Encoder().encode
decode_chunk = msgspec.json.Decoder(Chunk).decode


def given(value: OptionalRaw) -> msgspec.Raw | None:
    """The value where there is one: not absent, null, false or empty."""
    if isinstance(value, UnsetType) or value == NULL or bytes(value) in (b"{}", b'""', b"false", b"[]"):
        return None
    return value


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(_encode(value))


def edited(data: bytes, head: dict[str, msgspec.Raw | None], choices: list[ChoiceEdit]) -> bytes:
    """The chunk with `head`'s fields and each choice's edit applied; a choice that came without a delta gets one."""
    fields = _decode_fields(data)
    _update(fields, head)
    if any(choices):
        raw_choices = _decode_choices(fields["choices"])
        for choice, edit in zip(raw_choices, choices, strict=True):
            _update(choice, edit.fields)
            if edit.delta or edit.bare:
                delta = {} if edit.bare else _decode_fields(choice["delta"])
                _update(delta, edit.delta)
                choice["delta"] = raw(delta)
        fields["choices"] = raw(raw_choices)
    return _encode(fields)


def _update(fields: Fields, changes: dict[str, msgspec.Raw | None]) -> None:
    for name, value in changes.items():
        if value is None:
            fields.pop(name, None)
        else:
            fields[name] = value


def _content_bytes(value: OptionalRaw) -> int:
    content = given(value)
    return 0 if content is None else len(bytes(content))


_FIRST: Final = 2  # the plain chunk to learn from: a stream that stays at its first word needs no envelope
_MAX_LESSONS: Final = 8  # then this stream's chunks are all different (OpenAI pads each by another length)
_KEY: Final = b'"content":'


class Run(NamedTuple):
    """Chunks that were recognised: their texts joined, and the offset behind them."""

    text: bytes
    end: int


class PlainRun:
    """The envelope of one stream's chunks."""

    __slots__ = ("_head", "_lessons", "_tail", "_together")

    def __init__(self) -> None:
        self._head = b""
        self._tail = b""
        self._lessons = 0
        self._together = True

    def begin(self) -> None:
        """A new block comes: its chunks may be recognised together again."""
        self._together = True

    def find(self, block: bytes, at: int) -> Run | None:
        """The chunks of `block` from `at` on, as many as are easily told; None where there is none.

        A block ends with a blank line.
        """
        head, tail = self._head, self._tail
        if not head or not block.startswith(head, at):
            return None
        if self._together:
            run = self._read(block, at, block.rfind(tail))
            if run is not None:
                return run
            self._together = False  # one of them is different: from here on one by one
        return self._read(block, at, block.find(tail, at))

    def learn(self, data: bytes, text: str) -> None:
        """`data` is a plain chunk with this text, and was not recognised."""
        self._lessons += 1
        if not _FIRST <= self._lessons <= _MAX_LESSONS or data.count(_KEY) != 1 or b"\\" in data:
            return
        start = data.index(_KEY) + len(_KEY)
        start += 2 if data.startswith(b' "', start) else 1
        encoded = text.encode()
        if encoded and data.startswith(encoded + b'"', start):
            self._head = b"data: " + data[:start]
            self._tail = data[start + len(encoded) :] + b"\n\n"

    def _read(self, block: bytes, at: int, last: int) -> Run | None:
        """The chunks from `at` to the one whose tail begins at `last`, if they all are."""
        head, tail = self._head, self._tail
        if last < at + len(head):
            return None
        texts = block[at + len(head) : last].split(tail + head)
        try:
            joined = b" ".join(texts).decode()  # apart: two halves of a character must not look like a whole one
        except UnicodeDecodeError:
            return None
        if '"' in joined or "\\" in joined or not joined.isprintable():
            return None
        return Run(b"".join(texts), last + len(tail))
