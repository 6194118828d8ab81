"""Passes on an answer that is a file, not events: speech, as its bytes come."""

from collections.abc import Callable
from typing import Final

from typing_extensions import override

from adapters.wire.error_body import MAX_BODY_BYTES
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import TokenUsage

AUDIO_TYPES: Final = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
"""By the `response_format` of OpenAI's speech."""


class FileDecoder:
    """A `StreamDecoder` of bytes that mean nothing here. Nobody reports usage beside a file.

    A file has no event that ends it: HTTP says whether it came whole, and the transport raises where it did not.
    """

    def __init__(self, model: str, content_type: str) -> None:
        self.failure: UpstreamFailure | None = None
        self.done = False
        self.content_type = content_type
        self.model = model
        self.usage: TokenUsage | None = None
        self.has_content = False
        self.output_bytes = 0  # of text, and there is none
        self.ending = b""

    def output_text(self) -> str:
        return ""

    def feed(self, data: bytes) -> bytes:
        self.has_content = self.has_content or bool(data)
        return data

    def finish(self) -> bytes:
        if self.has_content:
            self.done = True
        else:
            self.failure = UpstreamFailure(
                FailureKind.SERVER_ERROR, "The provider's answer is an empty file.", status=200, code="invalid_response"
            )
        return b""


class TextInsteadOfFile(FileDecoder):
    """Of an answer that says it is text: its failure is made of what it says, once that has come."""

    def __init__(self, model: str, failure_of: Callable[[bytes], UpstreamFailure]) -> None:
        super().__init__(model, "application/octet-stream")
        self._failure_of = failure_of
        self._told = bytearray()

    @override
    def feed(self, data: bytes) -> bytes:
        self._told += data
        if len(self._told) > MAX_BODY_BYTES:
            self.failure = self._failure_of(bytes(self._told[:MAX_BODY_BYTES]))
        return b""

    @override
    def finish(self) -> bytes:
        self.failure = self.failure or self._failure_of(bytes(self._told))
        return b""
