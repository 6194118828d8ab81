"""Streams: held until their first content, then passed on; settled exactly once."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import msgspec

from application.inference.deadlines import CallTimer
from application.inference.draining import Drain
from domain.errors import StreamBroken, UpstreamFailure
from domain.failover import FailureKind
from domain.inference import InferenceRequest
from domain.ports.providers import ProviderCall, ProviderStream, Streaming

log = logging.getLogger(__name__)

HOLD_SECONDS = 2.0
HOLD_BYTES = 64 * 1024
PROGRESS_SECONDS = 1.0

R = TypeVar("R", bound=InferenceRequest)


class HeldStream(msgspec.Struct):
    """An upstream stream past its commit point (R-07): from here on there is no other provider.

    `blocks` were read already; `pending` is a read under way where the hold ended by time.
    """

    stream: ProviderStream
    iterator: AsyncIterator[bytes]
    blocks: list[bytes]
    pending: "asyncio.Future[bytes | None] | None" = None

    async def aclose(self) -> None:
        """Give the upstream up. Idempotent."""
        if self.pending is not None and not self.pending.done():
            self.pending.cancel()
            await asyncio.wait({self.pending})
        await self.stream.aclose()


async def open_held(provider: Streaming[R], call: ProviderCall[R], timer: CallTimer) -> HeldStream:
    """Open a stream and hold it until its first content, for 2 s after its first bytes or 64 KiB at most.

    Raises `UpstreamFailure` for everything that goes wrong before, so that another candidate may answer.
    """
    with timer:
        stream = await provider.stream(call)
    held = HeldStream(stream, aiter(stream), [])
    try:
        await _hold(held, timer)
    except BaseException:
        await asyncio.shield(held.aclose())
        raise
    timer.content_seen()
    return held


async def _hold(held: HeldStream, timer: CallTimer) -> None:
    loop = asyncio.get_running_loop()
    size, hold_until = 0, 0.0
    while True:
        if not held.blocks:
            with timer:
                block = await anext(held.iterator, None)
            hold_until = loop.time() + HOLD_SECONDS
        else:
            # A read that is cancelled ends its iterator, so the hold waits beside it instead of around it.
            held.pending = asyncio.ensure_future(anext(held.iterator, None))
            await asyncio.wait({held.pending}, timeout=max(min(hold_until, timer.due) - loop.time(), 0))
            if not held.pending.done():
                if timer.overdue:
                    raise timer.failure()
                return
            block, held.pending = held.pending.result(), None
        if block is None:
            raise UpstreamFailure(
                FailureKind.SERVER_ERROR, "The provider's stream ended without an answer.", status=200
            )
        held.blocks.append(block)
        size += len(block)
        if held.stream.has_content or size >= HOLD_BYTES:
            return


class StreamReply:
    """A committed stream: iterate it once for blocks of whole events, what closes them last, then `aclose` it.

    Iteration raises `StreamBroken` where the upstream fails midway; there is no closing event then. `on_end` is
    called exactly once, with the failure or None, before the last bytes are handed over or at closing (with
    `draining` when the rest has been read);
    `on_progress` at most once a second while blocks go by.
    """

    def __init__(
        self,
        held: HeldStream,
        timer: CallTimer,
        on_progress: Callable[[], None],
        on_end: Callable[[UpstreamFailure | None, bool], None],
        draining: Drain | None = None,
    ) -> None:
        self._held = held
        self._timer = timer
        self._on_progress = on_progress
        self._on_end = on_end
        self._time = asyncio.get_running_loop().time
        self._progress_due = self._time() + PROGRESS_SECONDS
        self._ended = False
        self._draining = draining  # given where the rest is read though the client leaves
        self._given_up = False

    @property
    def content_type(self) -> str:
        return self._held.stream.content_type

    @property
    def upstream(self) -> ProviderStream:
        return self._held.stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            for block in self._held.blocks:
                yield block
            self._held.blocks = []
            while (following := await self._next()) is not None:
                if self._time() >= self._progress_due:
                    self._progress_due = self._time() + PROGRESS_SECONDS
                    self._on_progress()
                yield following
        except UpstreamFailure as failure:
            self._end(failure, finished=False)
            raise broken(failure) from failure
        self._end(None, finished=True)
        if self._held.stream.ending:
            yield self._held.stream.ending

    async def aclose(self) -> None:
        """Release everything. Settles the call as given up where it had not ended. Idempotent."""
        if self._given_up:
            return
        if self._draining is not None and not self._ended and self._draining.wanted():
            self._given_up = True
            self._draining.take(self._read_on())
            return
        self._end(None, finished=False)
        await self._held.aclose()

    async def _next(self) -> bytes | None:
        with self._timer:
            if self._held.pending is None:
                if self._draining is None:
                    return await anext(self._held.iterator, None)
                self._held.pending = asyncio.ensure_future(anext(self._held.iterator, None))
            # A reader that is cancelled leaves the read itself under way, for whoever reads on.
            await asyncio.wait({self._held.pending})
            pending, self._held.pending = self._held.pending, None
            return pending.result()

    async def _read_on(self) -> None:
        """For the usage alone: whatever happens to the stream, the client had left it."""
        try:
            while await self._next() is not None:
                pass
        except UpstreamFailure:
            log.debug("a stream broke after its client had left")
        finally:
            self._end(None, finished=False)
            await self._held.aclose()

    def _end(self, failure: UpstreamFailure | None, *, finished: bool) -> None:
        if not self._ended:
            self._ended = True
            self._on_end(failure, finished)


def broken(failure: UpstreamFailure) -> StreamBroken:
    """A failure after content, as the client is told of it."""
    codes = {FailureKind.TIMEOUT: "upstream_timeout", FailureKind.TRUNCATED: "upstream_truncated"}
    return StreamBroken(failure.message, code=codes.get(failure.kind, "upstream_error"))
