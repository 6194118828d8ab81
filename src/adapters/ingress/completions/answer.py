"""Chats' answers as one legacy completion, whole or as chunks. Choices are numbered prompt by prompt."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from adapters.wire.raw_json import TolerantDecoder
from adapters.wire.sse import read_event

_REASONS: Final = {"length": "length", "content_filter": "content_filter"}
"""Completions know these and `stop`."""


class _Text(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    index: int = 0
    message: _Text | None = None
    delta: _Text | None = None
    finish_reason: str | None = None


class _Chat(msgspec.Struct):
    choices: list[_Choice] = []
    model: str = ""
    system_fingerprint: msgspec.Raw | UnsetType = UNSET


_decode = TolerantDecoder(_Chat)
_encode = msgspec.json.Encoder().encode


class Head(msgspec.Struct, frozen=True):
    """What every chunk and every answer begins with."""

    id: str
    created: int
    model: str

    def of(self, model: str) -> dict[str, object]:
        return {
            "id": self.id,
            "object": "text_completion",
            "created": self.created,
            "model": model or self.model,
        }


def to_completion(
    chats: Sequence[bytes], prompts: Sequence[str], n: int, head: Head, usage: dict[str, object] | None
) -> bytes:
    """One answer out of one chat for each prompt. `prompts` are put before the answers: empty texts for no echo."""
    choices: list[dict[str, object]] = []
    model = ""
    for place, (body, prompt) in enumerate(zip(chats, prompts, strict=True)):
        chat = _decode(body)
        model = model or chat.model
        for choice in chat.choices:
            text = (choice.message.content if choice.message is not None else None) or ""
            reason = _REASONS.get(choice.finish_reason or "", "stop")
            choices.append(_made(place * n + choice.index, prompt + text, reason))
    counted = {"usage": usage} if usage is not None else {}
    return _encode(head.of(model) | {"choices": choices} | counted)


class CompletionChunks:
    """The chunks of one prompt's chat as those of a completion. `prompt` is what its choices begin with."""

    def __init__(self, place: int, prompt: str, n: int, head: Head, *, include_usage: bool) -> None:
        self._first = place * n
        self._prompt = prompt
        self._head = head
        self._include_usage = include_usage
        self._begun: set[int] = set()

    def feed(self, block: bytes) -> bytes:
        """`block` is whole events of a chat; nothing where they hold no text and no end."""
        chunks: list[bytes] = []
        for event in block.split(b"\n\n"):
            data = read_event(event).data
            if data is not None:
                chat = _decode(data)
                chunks += [self._chunk(choice, chat.model) for choice in chat.choices]
        return b"".join(chunks)

    def _chunk(self, choice: _Choice, model: str) -> bytes:
        text = (choice.delta.content if choice.delta is not None else None) or ""
        if choice.index not in self._begun and (text or choice.finish_reason):
            self._begun.add(choice.index)
            text = self._prompt + text
        if not text and not choice.finish_reason:
            return b""
        reason = _REASONS.get(choice.finish_reason, "stop") if choice.finish_reason else None
        body = self._head.of(model) | {"choices": [_made(self._first + choice.index, text, reason)]}
        if self._include_usage:
            body["usage"] = None
        return b"data: %b\n\n" % _encode(body)


def usage_chunk(head: Head, model: str, usage: dict[str, object]) -> bytes:
    """The last chunk, with the usage of all."""
    return b"data: %b\n\n" % _encode(head.of(model) | {"choices": [], "usage": usage})


def _made(index: int, text: str, reason: str | None) -> dict[str, object]:
    return {"index": index, "text": text, "logprobs": None, "finish_reason": reason}
