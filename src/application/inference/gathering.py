"""Plain answers that a budget may have to end: asked for as a stream, and gathered.

More is held as more comes, as for a client's own stream. Where a budget has no more, the answer is what came until
then, and says that it ended by its length.
"""

import asyncio
from typing import TypeVar

import msgspec

from application.admission.limits import RequestLimits
from application.admission.spending import RequestSpending
from application.inference.deadlines import CallTimer
from domain.errors import LimitExceeded, UpstreamFailure
from domain.failover import FailureKind
from domain.inference import InferenceRequest
from domain.ports.gathering import Gatherer
from domain.ports.providers import Answering, ProviderAnswer, ProviderCall, ProviderStream, Streaming

R = TypeVar("R", bound=InferenceRequest)

_NO_STREAMS = frozenset({FailureKind.UNSUPPORTED, FailureKind.FEATURE_REFUSED})


async def gathered(
    provider: Answering[R],
    call: ProviderCall[R],
    timer: CallTimer,
    limits: RequestLimits,
    spending: RequestSpending,
    gatherer: Gatherer,
) -> ProviderAnswer:
    """Raises `UpstreamFailure`s: nothing of the answer has reached the client, so another provider may be asked.

    Of a target that cannot stream the whole maximum is held, and it is asked for the answer at once.
    """
    if isinstance(provider, Streaming):
        try:
            with timer:
                stream: ProviderStream = await provider.stream(msgspec.structs.replace(call, include_usage=True))
        except UpstreamFailure as failure:
            if failure.kind not in _NO_STREAMS:
                raise
        else:
            try:
                return await _gather(stream, timer, limits, spending, gatherer)
            finally:
                await asyncio.shield(stream.aclose())
    await spending.hold_whole()
    with timer:
        return await provider.complete(call)


async def _gather(
    stream: ProviderStream, timer: CallTimer, limits: RequestLimits, spending: RequestSpending, gatherer: Gatherer
) -> ProviderAnswer:
    blocks = aiter(stream)
    while True:
        with timer:
            block = await anext(blocks, None)
        if block is None:
            break
        try:
            await spending.reach(stream.output_bytes, stream.output_text)
        except LimitExceeded:
            limits.cut = True
            break
        gatherer.add(block)
    if not limits.cut:
        gatherer.add(stream.ending)  # of some formats the whole answer, or why it ended
    counted = stream.usage is not None and not limits.cut
    return ProviderAnswer(
        gatherer.answer(cut=limits.cut),
        stream.model,
        stream.usage,
        stream.limits,
        stream.dropped_params,
        "" if counted else stream.output_text(),
        output_bytes=0 if counted else stream.output_bytes,
        complete=not limits.cut,
    )
