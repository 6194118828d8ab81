"""Books what background responses used, once each: at the first fetch that sees one ended, or when it is looked for.

When such a response begins nothing is known of what it will use, so its request books nothing. What it used is booked
by a record of its own under the key, tags and budgets of that request. The record's id follows from the response, and
the ledger takes a record once: fetches at the same time, also in several processes, book it once (P-01).
"""

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec
from typing_extensions import override

from application.inference.calls import CallTrace
from application.inference.metering import Meter
from application.snapshot import GatewayState, LiveProvider
from domain.background_responses import (
    FACT_PREFIX,
    FORGOTTEN,
    LOOKS_AFTER,
    BackgroundResponse,
    KeptState,
    fact_of,
    hold_id_of,
)
from domain.budget_periods import bucket_at, zone_of
from domain.errors import ServiceUnavailable, StoreUnavailable, UpstreamFailure
from domain.inference import InferenceRequest
from domain.kept_responses import KeptResponseRequest
from domain.keys import ProviderKey
from domain.payload import Payload
from domain.ports.budgets import BudgetStore, BudgetTerm
from domain.ports.ledger import Ledger
from domain.ports.prices import TokenCounter
from domain.ports.providers import CallProgress, ProviderCall
from domain.ports.repositories import Store
from domain.ports.runtime import Clock, UsageSink
from domain.records import AttemptRecord, Charge, Outcome, RequestRecord, UsageSource
from domain.usage import TokenUsage

log = logging.getLogger(__name__)

ENDPOINT: Final = "responses"
MAX_REMEMBERED: Final = 10_000
AT_ONCE: Final = 500
"""Responses that are looked at in one turn."""

MAX_RUNNING: Final = 10_000
"""Of which those are chosen that are due."""

_KEPT_OF_ID: Final = 90
_OUTCOMES: Final[dict[str, tuple[str, Outcome]]] = {
    "failed": ("error", "error"),
    "cancelled": ("cancelled", "client_cancelled"),
    FORGOTTEN: ("unknown_outcome", "unknown_outcome"),
}
"""Of an attempt and of its request; any other state is an answer."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(BackgroundResponse).decode


class BackgroundResponses:
    """Knows those that run. They are kept in the database, where every process finds them."""

    def __init__(
        self,
        store: Store,
        state: GatewayState,
        ledger: Ledger,
        sink: UsageSink,
        meter: Meter,
        counter: TokenCounter,
        budgets: BudgetStore,
        clock: Clock,
    ) -> None:
        self._store = store
        self._state = state
        self._ledger = ledger
        self._sink = sink
        self._meter = meter
        self._counter = counter
        self._budgets = budgets
        self._clock = clock
        self._models: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._ended: OrderedDict[str, None] = OrderedDict()  # facts: of two fetches one books
        self._ending: dict[str, asyncio.Task[None]] = {}  # facts that are being booked, whoever waits for it
        self._unwritten: dict[str, BackgroundResponse] = {}
        self._still_held: set[str] = set()  # facts: booked, but their money could not be let go

    def concerns(self, trace: CallTrace, kept: KeptState) -> bool:
        """Whether a response that a provider keeps runs on, or was fetched: `answered` is to be told then."""
        if trace.provider_id is not None:
            self._models[trace.provider_id, kept.upstream_id] = kept.model
            if len(self._models) > MAX_REMEMBERED:
                self._models.popitem(last=False)
        return kept.fetched or kept.runs

    async def keep(self, trace: CallTrace, kept: KeptState) -> tuple[Charge, ...]:
        """Called before a request is settled whose answer `concerns` it: what one that runs on may cost stays held."""
        limits = trace.limits
        if limits is None or kept.fetched or not kept.runs:
            return ()
        limits.outlived = True
        if limits.spending is None:
            return ()
        try:
            return await limits.spending.outlive(hold_id_of(trace.decision_id))
        except ServiceUnavailable:
            log.warning("nothing is held for a background response", extra={"decision_id": trace.decision_id})
            return ()

    async def answered(
        self, trace: CallTrace, kept: KeptState, prompt_tokens: Callable[[], int], held: tuple[Charge, ...]
    ) -> None:
        """Called once it is settled; `held` is what is kept for the response."""
        record, provider_id = trace.record, trace.provider_id
        if record is None or provider_id is None or not record.attempts:
            return
        if kept.fetched:
            await self._seen(provider_id, kept)
        elif kept.runs:
            spending = trace.limits.spending if trace.limits is not None else None
            attempt = record.attempts[-1]
            await self._begun(
                BackgroundResponse(
                    provider_id, kept.upstream_id, attempt.key_id, record.request_id, record.decision_id,
                    record.created_at, record.tenant_id, record.key_id, record.requested_model, attempt.model,
                    prompt_tokens(), record.attribution, record.route,
                    spending.terms(attempt) if spending is not None else (), held=held,
                )
            )  # fmt: skip

    def model_of(self, provider_id: str, upstream_id: str) -> str:
        """The model of a response that this process has seen; empty for any other."""
        return self._models.get((provider_id, upstream_id), "")

    async def _begun(self, response: BackgroundResponse) -> None:
        """It runs on. Where the database is away it is remembered here, and written down later."""
        self._unwritten[response.fact] = response
        try:
            await self.write_down()
        except StoreUnavailable:
            log.warning("a background response waits to be written down", extra={"request_id": response.request_id})

    async def _seen(self, provider_id: str, kept: KeptState) -> None:
        """Somebody asked for it. The first time that it has ended it is booked; else nothing happens."""
        if kept.runs:
            return
        try:
            running = await self._running(fact_of(provider_id, kept.upstream_id))
            if running is not None:
                await self._end(running, kept)
        except StoreUnavailable:
            log.warning("a background response could not be booked yet", extra={"provider": provider_id})

    async def turn(self) -> None:
        """Look for what nobody has fetched to its end, a few times for each. Raises `StoreUnavailable`."""
        async with self._store.read() as unit:
            found = await unit.facts.beginning_with(FACT_PREFIX, MAX_RUNNING)
        now = self._clock.now()
        due = [response for response in map(_decode, found.values()) if response.is_due(now)]
        for response in due[:AT_ONCE]:
            await self._look(response)

    async def write_down(self) -> None:
        """What the database could not take when it began. Raises `StoreUnavailable`."""
        if not self._unwritten:
            return
        waiting = dict(self._unwritten)
        async with self._store.write() as unit:
            for fact, response in waiting.items():
                await unit.facts.put(fact, _encode(response).decode())
        for fact in waiting:
            self._unwritten.pop(fact, None)

    async def before(self, request: InferenceRequest, provider_id: str | None) -> None:
        """What is about to be deleted cannot be asked for its usage afterwards."""
        if isinstance(request, KeptResponseRequest) and request.action == "delete" and provider_id is not None:
            await self.look_for(provider_id, request.upstream_id)

    async def look_for(self, provider_id: str, upstream_id: str) -> None:
        """Its events were read: whether it has ended, a look at the whole tells. One that is booked is let be."""
        try:
            running = await self._running(fact_of(provider_id, upstream_id))
            if running is not None and (kept := await self._asked(running)) is not None and not kept.runs:
                await self._end(running, kept)
        except (StoreUnavailable, UpstreamFailure):
            log.warning("a background response could not be booked yet", extra={"provider": provider_id})

    async def _look(self, response: BackgroundResponse) -> None:
        looks = response.looks + 1
        kept: KeptState | None = None
        try:
            kept = await self._asked(response)
        except UpstreamFailure as failure:
            if failure.status == 404:
                looks = len(LOOKS_AFTER)
        if kept is not None and not kept.runs:
            await self._end(response, kept)
        elif looks >= len(LOOKS_AFTER):  # it is gone, or nobody can say
            await self._end(response, KeptState(response.upstream_id, FORGOTTEN, response.model))
        else:
            async with self._store.write() as unit:
                if await unit.facts.get(response.fact) is not None:
                    following = msgspec.structs.replace(response, looks=looks)
                    await unit.facts.put(response.fact, _encode(following).decode())

    async def _asked(self, response: BackgroundResponse) -> KeptState | None:
        """How it stands at its provider; None where that cannot be asked. Raises `UpstreamFailure`."""
        live = self._state.current.by_id.get(response.provider_id)
        if live is None or live.lease is None or (able := live.lease.client.capabilities.kept_responses) is None:
            return None
        request = KeptResponseRequest(action="retrieve", upstream_id=response.upstream_id)
        call = ProviderCall(
            Payload(request, {}), response.model, _key_of(live, response), include_usage=False, progress=_Unwatched()
        )
        live.lease.acquire()
        try:
            return (await able.complete(call)).kept
        finally:
            live.lease.release()

    async def _running(self, fact: str) -> BackgroundResponse | None:
        if (unwritten := self._unwritten.get(fact)) is not None:
            return unwritten
        async with self._store.read() as unit:
            value = await unit.facts.get(fact)
        return None if value is None else _decode(value)

    async def _end(self, response: BackgroundResponse, kept: KeptState) -> None:
        """It is booked to the end though whoever saw it leaves: of several at once the first books, the others wait."""
        ending = self._ending.get(response.fact)
        if ending is None:
            ending = self._ending[response.fact] = asyncio.create_task(self._book(response, kept))
            ending.add_done_callback(lambda task: self._is_over(response.fact, task))
        await asyncio.shield(ending)

    def _is_over(self, fact: str, ending: asyncio.Task[None]) -> None:
        self._ending.pop(fact, None)
        if not ending.cancelled():
            ending.exception()  # for whoever waits; nobody may be left

    async def _book(self, response: BackgroundResponse, kept: KeptState) -> None:
        """Booked first, forgotten then: what dies in between is booked again, and the ledger knows it."""
        if response.fact not in self._ended:
            attempt = self._attempt(response, kept)
            charges = await self._charged(response, attempt.cost_nano_usd or 0)
            record = self._record(response, kept, attempt, charges)
            self._ledger.end(record)
            self._sink.record(record)
            self._ended[response.fact] = None
            if len(self._ended) > MAX_REMEMBERED:
                self._ended.popitem(last=False)
        elif response.fact in self._still_held:
            await self._charged(response, 0)
        self._unwritten.pop(response.fact, None)
        async with self._store.write() as unit:
            await unit.facts.forget(response.fact)

    def _attempt(self, response: BackgroundResponse, kept: KeptState) -> AttemptRecord:
        usage, source = self._used(response, kept)
        outcome = _OUTCOMES.get(kept.status, ("ok", "ok"))[0]
        took_ms = (self._clock.now() - response.created_at).total_seconds() * 1000
        return self._meter.record(
            1, response.provider_id, response.provider_key_id, response.model, outcome, 200, took_ms, usage, source
        )

    def _used(self, response: BackgroundResponse, kept: KeptState) -> tuple[TokenUsage | None, UsageSource]:
        if kept.usage is not None:
            return kept.usage, "provider"
        if kept.status == "failed":
            return None, "none"
        return TokenUsage(response.input_tokens, self._counter.count(kept.output_text)), "estimated"

    def _record(
        self, response: BackgroundResponse, kept: KeptState, attempt: AttemptRecord, charges: tuple[Charge, ...]
    ) -> RequestRecord:
        of_response = hashlib.sha256(response.fact.encode()).hexdigest()[:16]
        return RequestRecord(
            request_id=f"{response.request_id[:_KEPT_OF_ID]}~{of_response}",
            decision_id=response.decision_id,
            created_at=self._clock.now(),
            tenant_id=response.tenant_id,
            key_id=response.key_id,
            endpoint=ENDPOINT,
            requested_model=response.requested_model,
            provider_id=response.provider_id,
            model=response.model,
            status=200,
            outcome=_OUTCOMES.get(kept.status, ("ok", "ok"))[1],
            error_code="response_failed" if kept.status == "failed" else None,
            stream=False,
            attempts=(attempt,),
            usage=attempt.usage,
            latency_ms=attempt.duration_ms,
            ttft_ms=None,
            charges=charges,
            attribution=response.attribution,
            route=response.route,
        )

    async def _charged(self, response: BackgroundResponse, cost_nano_usd: int) -> tuple[Charge, ...]:
        """What it costs each of its request's budgets: in the period in which it was held, or in the present one.

        What was held ends, and whoever holds money now knows at once of what is spent.
        """
        if not response.terms:
            return ()
        starts = {charge.account: charge.starts_at for charge in response.held}
        now = self._clock.now()
        charges = tuple(
            Charge(term.account, starts.get(term.account, _bucket_of(term, now)), cost_nano_usd)
            for term in response.terms
        )
        try:
            hold = await self._budgets.reclaim(response.hold_id, response.decision_id, response.terms)
            hold.settle({charge.account: charge.nano_usd for charge in charges})
            self._still_held.discard(response.fact)
        except ServiceUnavailable:
            self._still_held.add(response.fact)
            log.warning("what was held for a background response is let go later",
                        extra={"decision_id": response.decision_id})  # fmt: skip
        return charges if cost_nano_usd else ()


def _bucket_of(term: BudgetTerm, now: datetime) -> int:
    return bucket_at(term.period, zone_of(term.timezone), now).starts_at


def _key_of(live: LiveProvider, response: BackgroundResponse) -> ProviderKey | None:
    """The key that it was made with, or another of the provider."""
    return next((key for key in live.keys if key.id == response.provider_key_id), live.keys[0] if live.keys else None)


class _Unwatched(CallProgress):
    """The provider's own deadlines are enough."""

    @override
    def headers_received(self) -> None:
        return None

    @override
    def bytes_received(self) -> None:
        return None

    @override
    def content_received(self) -> None:
        return None
