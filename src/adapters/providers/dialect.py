"""What an adapter pairs with an address and a credential: a format, for one capability."""

from typing import Protocol, TypeVar, runtime_checkable

from adapters.wire.call import DialectCall, Encoded, PlainAnswer
from adapters.wire.rate_limits import RawHeaders
from adapters.wire.replay import Replay
from domain.availability import RateLimitWindow
from domain.background_responses import KeptState
from domain.errors import UpstreamFailure
from domain.inference import InferenceRequest
from domain.usage import TokenUsage

R = TypeVar("R", bound=InferenceRequest)


class StreamDecoder(Protocol):
    """Fed with an upstream's bytes as they arrive; gives back blocks for the client, in the ingress's format.

    Never raises. After each `feed` and after `finish` look at `failure` first: what was given back came before it.
    `done` means the answer is complete and nothing that follows matters. R-08: the end of the bytes alone never
    makes an answer complete.
    """

    failure: UpstreamFailure | None
    done: bool
    content_type: str  # of what is given back

    @property
    def model(self) -> str:
        """What the upstream says answers; until it says so, what was asked for."""
        ...

    @property
    def usage(self) -> TokenUsage | None: ...

    @property
    def has_content(self) -> bool:
        """Whether what was given back holds content, a tool call, reasoning or a finish reason."""
        ...

    @property
    def output_bytes(self) -> int:
        """Bytes of generated content so far."""
        ...

    @property
    def ending(self) -> bytes:
        """What closes a complete answer; sent by whoever settles the call, and not part of any block."""
        ...

    def output_text(self) -> str:
        """The beginning of the generated text."""
        ...

    def feed(self, data: bytes) -> bytes:
        """A block of whole events, or nothing yet."""
        ...

    def finish(self) -> bytes:
        """The bytes ended, cleanly. What is still to be said; sets `failure` where the answer is not complete."""
        ...


@runtime_checkable
class KeptStreamDecoder(Protocol):
    """A `StreamDecoder` of responses that the upstream keeps."""

    def kept(self) -> KeptState | None:
        """How the response stands; None until it is known, and where it is not kept."""
        ...


class Dialect(Protocol[R]):
    """Translates one request type and its answers. Pure: no I/O, no clock but the call's."""

    @property
    def stream_types(self) -> frozenset[str]:
        """The content types of its streams; empty where any will do."""
        ...

    def encode(self, call: DialectCall[R], *, stream: bool) -> Encoded:
        """The body to send. Raises `UpstreamFailure` (`UNSUPPORTED`) for what this upstream cannot do."""
        ...

    def read(self, body: bytes, call: DialectCall[R], content_type: str) -> PlainAnswer:
        """Raises `UpstreamFailure` for an error in a 200 and for what is no answer."""
        ...

    def decoder(self, call: DialectCall[R], content_type: str) -> StreamDecoder: ...

    def replay(self, answer: PlainAnswer, call: DialectCall[R]) -> Replay | None:
        """The events of an answer that came whole though a stream was asked for; None where nothing is streamed."""
        ...

    def failure(self, status: int, headers: RawHeaders, body: bytes, call: DialectCall[R]) -> UpstreamFailure:
        """What an answer that is no 2xx means."""
        ...

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:
        """What the answer's headers say of the key's limits. `now` is Unix time."""
        ...
