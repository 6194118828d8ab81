"""What is written down about a request: one record a request, one a call made upstream."""

from datetime import datetime
from typing import Literal

import msgspec

from domain.usage import TokenUsage

Outcome = Literal["ok", "error", "client_cancelled", "interrupted", "unknown_outcome"]


class AttemptRecord(msgspec.Struct, frozen=True):
    """One upstream call. `outcome` is `ok` or the `FailureKind`'s value; `status` is the provider's."""

    number: int
    provider_id: str
    key_id: str | None
    model: str
    outcome: str
    status: int | None
    duration_ms: float
    usage: TokenUsage | None = None
    message: str = ""


class RequestRecord(msgspec.Struct, frozen=True):
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
