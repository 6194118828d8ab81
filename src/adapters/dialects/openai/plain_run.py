"""Recognises chunks that differ from a plain one before them in their text alone, many at once, without decoding them.

Most of a stream is such chunks: the same envelope around another word. Where everything around the text is the very
same bytes, and the text is printable and holds neither a quote nor a backslash, the chunk decodes to what the one
before it did, but for its text; so what was found of that one holds of this one.
"""

from typing import Final, NamedTuple

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
