"""Streams: held until their first content, then passed on; settled exactly once.

A stream is *opening* until the provider has answered 200, and *held* while nothing of it has reached the client: its
blocks wait in memory, and whatever goes wrong is the attempt loop's, which may ask another provider (R-07). The hold
ends at the commit point: from there on the stream is *passed on* block by block and there is no other provider. Where
it ends by time, the client has its head and pings, and what came so far waits as long as another provider could still
take over: the stream is *awaited*. It is
*over* once, and then in the books; what closes it for the client (`data: [DONE]`) follows that (P-01). A stream whose
client left may be *read on* for its usage, where its provider bills it whole (R-02).

    state       | content        | 2 s or 64 KiB | proper end    | failure          | reader leaves
    ------------+----------------+---------------+---------------+------------------+-----------------------
    opening     | -              | -             | -             | to the loop      | upstream given up
    held        | passed on      | awaited       | passed on     | to the loop      | upstream given up
    awaited     | passed on      | passed on (64)| passed on     | to the loop      | over
    passed on   | a block        | -             | over, whole   | over, broken     | read on, or over
    read on     | counted        | -             | over          | over             | -
    over        | -              | -             | -             | -                | -
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol, TypeVar

import msgspec

from application.inference.deadlines import CallTimer
from application.inference.draining import Drain
from application.inference.verdict import broken
from domain.errors import LimitExceeded, StreamBroken, UpstreamFailure
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
        if block is None:  # whole, though nothing was said in it: by a filter, by its limit, after a tool's result
            return
        held.blocks.append(block)
        size += len(block)
        if held.stream.has_content or size >= HOLD_BYTES:
            return


class StreamObserver(Protocol):
    """Whom a stream tells how it goes."""

    def progressed(self) -> None:
        """It has come further; at most once a second."""
        ...

    def began(self) -> None:
        """It has content, or its proper end, only now: called once, where its hold had ended by time."""
        ...

    def ended(self, error: BaseException | None, *, whole: bool) -> None:
        """It is over, `whole` or not: called once. `error` is what broke it, None where its reader gave it up."""
        ...


Again = Callable[[UpstreamFailure], Awaitable[tuple[HeldStream, CallTimer]]]
"""Asks another provider in the place of a stream that broke before any content; raises where nobody is left."""

Outlive = Callable[[BaseException | None], Awaitable[None]]
"""Ends what is not whole in the observer's place, where its provider makes it on though nobody listens."""

Reach = Callable[[int, Callable[[], str]], Awaitable[None]]
"""Asked before a block is passed on, with the bytes of text so far and the text. Raises `LimitExceeded`."""


class StreamReply:
    """A committed stream: iterate it once for blocks of whole events, what closes them last, then `aclose` it.

    Iteration raises `StreamBroken` where the upstream fails midway; there is no closing event then. The observer
    hears of the end before the last bytes are handed over, or at closing (with `draining`, when the rest has been
    read).
    """

    def __init__(
        self,
        held: HeldStream,
        timer: CallTimer,
        observer: StreamObserver,
        draining: Drain | None = None,
        reach: Reach | None = None,
        outlive: Outlive | None = None,
        again: Again | None = None,
    ) -> None:
        self._held = held
        self._timer = timer
        self._observer = observer
        self._time = asyncio.get_running_loop().time
        self._progress_due = self._time() + PROGRESS_SECONDS
        self._ended = False
        self._reach = reach
        self._outlive = outlive
        self._again = again
        self._awaited = held.pending is not None  # its hold ended by time
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
            if self._awaited and self._again is not None:
                await self._until_content(self._again)
            for block in self._held.blocks:
                if self._reach is not None:
                    await self._reach(self._held.stream.output_bytes, self._held.stream.output_text)
                yield block
            self._held.blocks = []
            while (following := await self._next()) is not None:
                if self._awaited and self._held.stream.has_content:
                    self._begun()
                if self._time() >= self._progress_due:
                    self._progress_due = self._time() + PROGRESS_SECONDS
                    self._observer.progressed()
                if self._reach is not None:
                    await self._reach(self._held.stream.output_bytes, self._held.stream.output_text)
                yield following
        except UpstreamFailure as failure:
            await self._leave(failure)
            raise broken(failure) from failure
        except LimitExceeded as refusal:
            await self._leave(refusal)
            raise StreamBroken(refusal.message, code=refusal.code) from refusal
        except Exception as bug:
            self._end(bug)
            raise
        if self._awaited:
            self._begun()
        self._end(None, whole=True)
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
        await self._leave(None)
        await self._held.aclose()

    async def _leave(self, error: BaseException | None) -> None:
        """It is over for whoever read it, and not whole."""
        if self._outlive is not None and not self._ended:
            self._ended = True
            await asyncio.shield(self._outlive(error))
        else:
            self._end(error)

    async def _until_content(self, again: Again) -> None:
        """Nothing is passed on yet: another provider may still take over (R-07)."""
        size = sum(map(len, self._held.blocks))
        while not self._held.stream.has_content and size < HOLD_BYTES:
            try:
                block = await self._next()
            except UpstreamFailure as failure:
                self._held, self._timer = await again(failure)
                size = sum(map(len, self._held.blocks))
                if self._held.pending is None:
                    break
                continue
            if block is None:
                break
            self._held.blocks.append(block)
            size += len(block)
        self._begun()

    def _begun(self) -> None:
        self._awaited, self._again = False, None
        self._observer.began()

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
        except Exception:
            log.exception("a stream could not be read on after its client had left")
        finally:
            await self._leave(None)
            await self._held.aclose()

    def _end(self, error: BaseException | None, *, whole: bool = False) -> None:
        if not self._ended:
            self._ended = True
            self._observer.ended(error, whole=whole)
