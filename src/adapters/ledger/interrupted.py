"""The record of a request whose process died before it could write one."""

from collections.abc import Callable

import msgspec

from domain.prices import PriceRow, booked
from domain.records import AttemptRecord, Charge, ProgressRecord, RequestRecord, StartRecord
from domain.usage import TokenUsage, estimate_tokens


def interrupted(
    start: StartRecord, progress: ProgressRecord | None, find_price: Callable[[str, str], PriceRow | None]
) -> RequestRecord:
    """What is known of it: its start, and how far it had come (a stream: at most a second earlier).

    The prompt of the call under way was sent, and is billed, whatever came back.
    """
    attempt = _attempt(start, progress or _first_call(start), find_price)
    return RequestRecord(
        request_id=start.request_id,
        decision_id=start.decision_id,
        created_at=start.created_at,
        tenant_id=start.tenant_id,
        key_id=start.key_id,
        endpoint=start.endpoint,
        requested_model=start.requested_model,
        provider_id=attempt.provider_id if attempt else None,
        model=attempt.model if attempt else None,
        status=499,
        outcome="interrupted",
        error_code="interrupted",
        stream=start.stream,
        attempts=(attempt,) if attempt else (),
        usage=attempt.usage if attempt else None,
        latency_ms=0.0,
        ttft_ms=None,
        charges=_charges(start, progress, attempt),
        attribution=start.attribution,
    )


def _charges(start: StartRecord, progress: ProgressRecord | None, attempt: AttemptRecord | None) -> tuple[Charge, ...]:
    """What it cost, charged where it was held, and never more than was held last: what is estimated here must not pass
    a limit (P-06)."""
    cost = attempt.cost_nano_usd if attempt is not None else None
    if not cost:
        return ()
    held = start.charges if progress is None or progress.charges is None else progress.charges
    charged = (msgspec.structs.replace(each, nano_usd=min(cost, each.nano_usd)) for each in held)
    return tuple(charge for charge in charged if charge.nano_usd)


def _first_call(start: StartRecord) -> ProgressRecord | None:
    """The call that began with the request. Older starts do not know it."""
    if start.provider_id is None or start.model is None:
        return None
    return ProgressRecord(start.request_id, 1, start.provider_id, start.provider_key_id, start.model, 0, None)


def _attempt(
    start: StartRecord, progress: ProgressRecord | None, find_price: Callable[[str, str], PriceRow | None]
) -> AttemptRecord | None:
    if progress is None:
        return None
    reported = progress.usage
    sent = start.input_tokens if start.input_tokens is not None else estimate_tokens(start.input_bytes)
    counted = reported is not None and not reported.counts_nothing()
    guessed = TokenUsage(sent, estimate_tokens(progress.output_bytes), billing=reported.billing if reported else None)
    usage = reported if reported is not None and counted else guessed
    as_ = booked(usage, find_price(progress.provider_id, progress.model))
    return AttemptRecord(
        progress.attempt,
        progress.provider_id,
        progress.key_id,
        progress.model,
        "interrupted",
        None,
        0.0,
        usage,
        "",
        "provider" if counted else "estimated",
        as_.price_id,
        as_.cost_nano_usd,
        as_.missing,
        as_.computed_nano_usd,
    )
