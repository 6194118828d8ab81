"""The record of a request whose process died before it could write one."""

from collections.abc import Callable

from domain.prices import PriceRow, cost_nano_usd
from domain.records import AttemptRecord, ProgressRecord, RequestRecord, StartRecord
from domain.usage import TokenUsage, estimate_tokens


def interrupted(
    start: StartRecord, progress: ProgressRecord | None, find_price: Callable[[str, str], PriceRow | None]
) -> RequestRecord:
    """What is known of it: its start and, for a stream, how far it had come (at most a second earlier)."""
    attempt = _attempt(start, progress, find_price) if progress is not None else None
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
    )


def _attempt(
    start: StartRecord, progress: ProgressRecord, find_price: Callable[[str, str], PriceRow | None]
) -> AttemptRecord:
    reported = progress.usage
    usage = reported or TokenUsage(estimate_tokens(start.input_bytes), estimate_tokens(progress.output_bytes))
    price = find_price(progress.provider_id, progress.model)
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
        "provider" if reported else "estimated",
        price.id if price else None,
        cost_nano_usd(usage, price.prices) if price else None,
    )
