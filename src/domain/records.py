"""What is written down about a request: its start, its progress, and one record when it is settled.

They lie in the spool as arrays, and a newer version may find an older one's: new fields go last, with a default.
"""

from datetime import datetime
from typing import Literal

import msgspec

from domain.usage import TokenUsage

Outcome = Literal["ok", "error", "client_cancelled", "interrupted", "unknown_outcome"]

UsageSource = Literal["provider", "estimated", "none"]
"""Who counted the tokens: the provider, the gateway, or nobody because nothing was generated."""


class StartRecord(msgspec.Struct, frozen=True, array_like=True):
    """A request is about to go upstream. Without a later record of its end it was interrupted."""

    request_id: str
    decision_id: str
    created_at: datetime
    tenant_id: str
    key_id: str | None
    endpoint: str
    requested_model: str
    stream: bool
    input_bytes: int


class ProgressRecord(msgspec.Struct, frozen=True, array_like=True):
    """How far a stream has come; at most one a second."""

    request_id: str
    attempt: int
    provider_id: str
    key_id: str | None
    model: str
    output_bytes: int
    usage: TokenUsage | None


class AttemptRecord(msgspec.Struct, frozen=True, array_like=True):
    """One upstream call. `outcome` is `ok`, `cancelled` or the `FailureKind`'s value; `status` is the provider's.

    `cost_nano_usd` of None is the state `unpriced`; `price_id` is the price row it was computed with.
    """

    number: int
    provider_id: str
    key_id: str | None
    model: str
    outcome: str
    status: int | None
    duration_ms: float
    usage: TokenUsage | None = None
    message: str = ""
    usage_source: UsageSource = "none"
    price_id: str | None = None
    cost_nano_usd: int | None = None


class RequestRecord(msgspec.Struct, frozen=True, array_like=True):
    """One client request, settled. `status` is the HTTP status sent (499 for a client that left)."""

    request_id: str
    decision_id: str
    created_at: datetime
    tenant_id: str
    key_id: str | None
    endpoint: str
    requested_model: str
    provider_id: str | None
    model: str | None
    status: int
    outcome: Outcome
    error_code: str | None
    stream: bool
    attempts: tuple[AttemptRecord, ...]
    usage: TokenUsage | None
    latency_ms: float
    ttft_ms: float | None
    task: str = ""


_KEPT_OF_ID = 90  # of 128 characters: a decision's id is 36


def distinct(record: RequestRecord) -> RequestRecord:
    """A record whose id another request has: clients may choose ids and use them again, and each request counts.

    The decision's id, which no client chooses, tells them apart; the same record always gets the same id.
    """
    own_id = f"{record.request_id[:_KEPT_OF_ID]}~{record.decision_id}"
    return msgspec.structs.replace(record, request_id=own_id)
