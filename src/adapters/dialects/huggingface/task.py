"""What the tasks of Hugging Face's own inference share: they answer whole, and refuse alike.

Source: huggingface_hub 2.4 (read 2026-11). An error is `{"error": "text"}`; a spent month is a 402.
"""

from typing import Final, Generic, TypeVar

from adapters.wire.answer import PlainAnswer
from adapters.wire.call import WireCall
from adapters.wire.errors import Refusals, failure_from_answer, failure_in_body, unreadable
from adapters.wire.files import FileDecoder
from adapters.wire.rate_limits import RawHeaders
from adapters.wire.sift import unsupported
from domain.availability import RateLimitWindow
from domain.errors import UpstreamFailure
from domain.inference import InferenceRequest

R = TypeVar("R", bound=InferenceRequest)

REFUSALS: Final = Refusals(quota_resets="month")


class HuggingFaceTask(Generic[R]):
    """One task; each adds its request and its answer."""

    stream_types: frozenset[str] = frozenset()
    answer_name = "an answer"

    def decoder(self, call: WireCall[R], content_type: str) -> FileDecoder:  # noqa: ARG002 - it has no streams
        raise unsupported("stream", "Hugging Face's own inference answers whole")

    def replay(self, answer: PlainAnswer, call: WireCall[R]) -> bytes | None:  # noqa: ARG002 - it has no streams
        return None

    def failure(self, status: int, headers: RawHeaders, body: bytes, call: WireCall[R]) -> UpstreamFailure:
        return failure_from_answer(status, headers, body, REFUSALS, secret=call.secret, now=call.now())

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:  # noqa: ARG002 - it tells none
        return ()

    def refusal_or_unreadable(self, body: bytes, call: WireCall[R]) -> UpstreamFailure:
        """What a 200 that is no answer means: an error told in it, or nothing that can be read."""
        if body.lstrip().startswith(b'{"error"'):
            return failure_in_body(body, REFUSALS, secret=call.secret, now=call.now())
        return unreadable(body, call.secret, self.answer_name)
