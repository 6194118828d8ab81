"""How a streamed answer begins, and whether it is a stream at all: one JSON body may come under any content type."""

import re
from collections.abc import AsyncIterator, Callable

import msgspec

from adapters.providers.dialect import StreamDecoder
from adapters.wire.errors import invalid_answer
from adapters.wire.raw_json import UNDECODABLE
from domain.ports.providers import CallProgress

MAX_ANSWER_BYTES = 32 * 1024 * 1024
"""Of an answer that comes whole."""

_BLANK = b"\xef\xbb\xbf \t\r\n"
_LINES = "application/x-ndjson"
_OPEN_LINE = re.compile(rb"[{\[]\s*\n")

_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Opening:
    """`stream_types` are those of the dialect; `replayed` makes the decoder of a body that came whole."""

    def __init__(self, stream_types: frozenset[str], replayed: Callable[[bytes], StreamDecoder]) -> None:
        self._stream_types = stream_types
        self._replayed = replayed

    async def read(self, pieces: AsyncIterator[bytes], progress: CallProgress) -> bytes:
        """The first bytes that say something, blank ones before them left out."""
        opening = b""
        async for piece in pieces:
            progress.bytes_received()
            opening += piece
            if not self._stream_types:
                break
            opening = opening.lstrip(_BLANK)
            if len(opening) >= 2:
                break
        return opening

    def is_whole(self, opening: bytes) -> bool:
        """No event and no frame begins like JSON. Of streams that are lines of JSON, none ends behind its bracket."""
        if _LINES in self._stream_types:
            return _OPEN_LINE.match(opening) is not None
        return bool(self._stream_types) and opening.startswith((b"{", b"["))

    async def whole(
        self, opening: bytes, pieces: AsyncIterator[bytes], decoder: StreamDecoder, progress: CallProgress
    ) -> tuple[StreamDecoder, bytes]:
        """Who decodes what came whole, and what to feed to it. Raises `UpstreamFailure`.

        An array is a stream of Gemini's whose wish for events was lost on the way.
        """
        progress.content_received()
        parts, size = [opening], len(opening)
        async for piece in pieces:
            progress.bytes_received()
            parts.append(piece)
            size += len(piece)
            if size > MAX_ANSWER_BYTES:
                raise invalid_answer(f"it is larger than {MAX_ANSWER_BYTES // 1024**2} MiB")
        body = b"".join(parts)
        if not body.startswith(b"["):
            return self._replayed(body), b""
        try:
            chunks = _decode_list(msgspec.json.format(body, indent=-1))
        except UNDECODABLE:
            raise invalid_answer("it is no event stream") from None
        return decoder, b"".join([b"data: %b\n\n" % chunk for chunk in chunks])
