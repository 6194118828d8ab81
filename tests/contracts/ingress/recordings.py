"""Every recorded stream, the API it came over, what it says, and where at the earliest it is whole."""

from pathlib import Path
from typing import Final, NamedTuple

from domain.failover import FailureKind
from tests.contracts.ingress.driving import Stage

WIRE: Final = Path(__file__).parents[2] / "wire"

SSE: Final = "text/event-stream"
_FRAMES: Final = "application/vnd.amazon.eventstream"


class Recording(NamedTuple):
    """`whole_from` is an offset before which no cut leaves a complete answer; `fails` is how a broken one does."""

    path: Path
    kind: str
    endpoint: str
    content_type: str
    stream: bytes
    whole_from: int
    fails: FailureKind | None
    model: str | None = None

    def stage(self) -> Stage:
        """An upstream of its API, to play it or parts of it."""
        return Stage(self.kind, self.content_type, endpoint=self.endpoint, model=self.model)

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.stem}" + ("*" if "recorded" in self.path.parts else "")


_ENDS: Final[dict[str, tuple[bytes, ...]]] = {
    "openai": (b'"finish_reason": "', b'"finish_reason":"'),
    "azure": (b'"finish_reason": "', b'"finish_reason":"'),
    "anthropic": (b'"message_stop"',),
    "bedrock": (b"messageStop",),
    "gemini": (b'"finishReason"', b'"blockReason"'),
    "cohere": (b'"message-end"',),
    "ollama": (b'"done":true', b'"done": true'),
    "completions": (b'"finish_reason": "', b'"finish_reason":"'),
    "responses": (b'"response.completed"',),
}
"""By API: how the event begins that makes an answer complete."""

BROKEN: Final[dict[str, FailureKind]] = {
    "openai/errevent": FailureKind.SERVER_ERROR,
    "openai/errmid": FailureKind.SERVER_ERROR,
    "openai/errstr": FailureKind.SERVER_ERROR,
    "openai/nofinish": FailureKind.TRUNCATED,
    "anthropic/error": FailureKind.OVERLOADED,
    "anthropic/error_oai": FailureKind.SERVER_ERROR,
    "anthropic/nostop": FailureKind.TRUNCATED,
    "bedrock/converse_stream_throttled_midway": FailureKind.RATE_LIMITED,
    "gemini/broken_off": FailureKind.OVERLOADED,
}
"""Recordings that break off, each in its way."""

_FOLDERS: Final = {
    "openai": "*.sse",
    "anthropic": "*.sse",
    "bedrock": "converse*.bin",
    "gemini": "*.sse",
    "cohere": "*.sse",
    "ollama": "*.ndjson",
}


def _recording(path: Path, kind: str) -> Recording:
    stream = path.read_bytes()
    endpoint = kind if kind in {"completions", "responses"} else "chat"
    fails = BROKEN.get(f"{kind}/{path.stem}") if path.parent.parent == WIRE else None
    types = {".sse": SSE, ".bin": _FRAMES, ".ndjson": "application/x-ndjson"}
    ends = max(stream.rfind(mark) for mark in _ENDS[kind])
    assert fails is not None or ends > 0, path
    return Recording(
        path,
        "simulated" if endpoint != "chat" else kind,
        endpoint,
        types[path.suffix],
        stream,
        len(stream) if fails is not None else ends,
        fails,
    )


def _invoked(path: Path) -> Recording:
    """Claude's own events in Bedrock's frames; the last frame ends them."""
    stream = path.read_bytes()
    model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    return Recording(path, "bedrock", "messages", _FRAMES, stream, stream.rfind(b":event-type"), None, model)


RECORDINGS: Final = (
    *(_recording(path, kind) for kind, files in _FOLDERS.items() for path in sorted((WIRE / kind).glob(files))),
    _invoked(WIRE / "bedrock" / "invoke_stream_claude.bin"),
    *(_recording(path, path.parent.name) for path in sorted((WIRE / "recorded").glob("*/*.*"))),
)
