"""A pipeline that does what a test says, for tests of the HTTP layer."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeVar

from typing_extensions import override

from application.inference.calls import Attempt, InferenceCall, Operation, PlainReply
from application.inference.pipeline import InferencePipeline
from application.inference.streams import StreamReply
from domain.inference import InferenceRequest
from domain.ports.providers import Answering, Streaming
from domain.routing import Candidate
from domain.timeouts import Timeouts
from domain.usage import TokenUsage
from tests.builders import a_provider

R = TypeVar("R", bound=InferenceRequest)

ANSWER = b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[]}'
FIRST = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"}}]}\n\n'
SECOND = b'data: {"choices":[{"index":0,"delta":{"content":"lo"}}]}\n\n'
DONE = b"data: [DONE]\n\n"

EVENTS = "text/event-stream; charset=utf-8"

Step = bytes | float | Exception
"""What a stream does next: yield a block, wait so many seconds, or fail."""


class FakeReply(StreamReply):
    """Plays its steps. `closed` is set by `aclose`."""

    def __init__(self, steps: Sequence[Step], content_type: str = EVENTS) -> None:
        self._steps = steps
        self._content_type = content_type
        self.closed = asyncio.Event()
        self.sent = 0

    @property
    @override
    def content_type(self) -> str:
        return self._content_type

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        for step in self._steps:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, bytes):
                yield step
                self.sent += 1
            else:
                await asyncio.sleep(step)

    @override
    async def aclose(self) -> None:
        await asyncio.sleep(0)
        self.closed.set()


class FakePipeline(InferencePipeline):
    """Answers after `delay_seconds`, with `error` where it is set.

    `called` is set by a call; `gave_up` when one was cancelled, with the context's `client_left` beside it.
    """

    def __init__(self) -> None:
        self.body = ANSWER
        self.cost_nano_usd: int | None = None
        self.steps: Sequence[Step] = (FIRST, SECOND, DONE)
        self.error: Exception | None = None
        self.delay_seconds = 0.0
        self.attempts = 1
        self.model = "upstream-model"
        self.dropped_params: tuple[str, ...] = ()
        self.content_type = "application/json"
        self.stream_type = EVENTS
        self.endpoints: list[str] = []
        self.calls: list[InferenceCall[Any]] = []
        self.called = asyncio.Event()
        self.gave_up = asyncio.Event()
        self.client_left: bool | None = None
        self.reply: FakeReply | None = None

    @override
    async def complete(self, operation: Operation[Answering[R]], call: InferenceCall[R]) -> PlainReply:
        self.endpoints.append(operation.endpoint)
        await self._serve(operation.endpoint, call)
        return PlainReply(self.body, TokenUsage(1, 1), self.cost_nano_usd, self.content_type)

    @override
    async def stream(self, operation: Operation[Streaming[R]], call: InferenceCall[R]) -> StreamReply:
        self.endpoints.append(operation.endpoint)
        await self._serve(operation.endpoint, call)
        self.reply = FakeReply(self.steps, self.stream_type)
        return self.reply

    async def _serve(self, endpoint: str, call: InferenceCall[R]) -> None:
        if call.principal.grants is not None:  # as the real one does, before anything else
            call.principal.grants.require_endpoint(endpoint)
        self.calls.append(call)
        self.called.set()
        trace = call.trace
        trace.decision_id = "dec_1"
        candidate = Candidate(a_provider("alpha"), self.model, Timeouts())
        trace.attempts = [Attempt(number + 1, candidate, None, 0.0) for number in range(self.attempts)]
        try:
            await asyncio.sleep(self.delay_seconds)
        except asyncio.CancelledError:
            self.client_left = trace.client_left
            self.gave_up.set()
            raise
        if self.error is not None:
            raise self.error
        trace.provider_id, trace.model = "alpha", self.model
        trace.dropped_params = self.dropped_params
