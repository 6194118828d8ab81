"""Remembers the beginning of what a stream generates, for an estimate where its usage never comes."""

from typing import Final

MAX_KEPT_TEXT_CHARS: Final = 16 * 1024


class KeptText:
    """`bytes` counts all of it."""

    __slots__ = ("_chars", "_kept", "bytes")

    def __init__(self) -> None:
        self.bytes = 0
        self._chars = 0
        self._kept: list[str] = []

    def add(self, text: str) -> None:
        self.bytes += len(text.encode(errors="replace"))
        if self._chars < MAX_KEPT_TEXT_CHARS:
            self._kept.append(text)
            self._chars += len(text)

    def text(self) -> str:
        return "".join(self._kept)
