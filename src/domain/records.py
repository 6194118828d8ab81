"""What is written down about a request: its start, its progress, and one record when it is settled.

They lie in the spool as arrays, and a newer version may find an older one's: new fields go last, with a default.
"""

from datetime import datetime
from typing import Literal

import msgspec

from domain.attribution import UNATTRIBUTED, Attribution
from domain.decisions import DecisionNote
from domain.usage import TokenUsage

Outcome = Literal["ok", "error", "client_cancelled", "interrupted", "unknown_outcome"]

UsageSource = Literal["provider", "estimated", "none"]
"""Who counted the tokens: the provider, the gateway, or nobody because nothing was generated."""


class Charge(msgspec.Struct, frozen=True, array_like=True):
    """What a request means for a budget: whose account, in which bucket (seconds since 1970), and how much.

    At the start it is what is held, at the end what it cost.
    """

    account: str
    starts_at: int
    nano_usd: int


class StartRecord(msgspec.Struct, frozen=True, array_like=True):
    """A request is about to go upstream. Without a later record of its end it was interrupted.

    From `provider_id` on it is the first upstream call's: where it goes, with which of the provider's keys, and the
    prompt's tokens as estimated, which are billed though the process dies before the answer. None in older records.
    """

    request_id: str
    decision_id: str
    created_at: datetime
    tenant_id: str
    key_id: str | None
    endpoint: str
    requested_model: str
    stream: bool
    input_bytes: int
    provider_id: str | None = None
    provider_key_id: str | None = None
    model: str | None = None
    input_tokens: int | None = None
    charges: tuple[Charge, ...] = ()
    attribution: Attribution = UNATTRIBUTED


class ProgressRecord(msgspec.Struct, frozen=True, array_like=True):
    """How far a request has come: a stream, at most once a second, or a further upstream call that begins.

    `charges` are what is held by then; None where it has no budgets, and in older records.
    """

    request_id: str
    attempt: int
    provider_id: str
    key_id: str | None
    model: str
    output_bytes: int
    usage: TokenUsage | None
    charges: tuple[Charge, ...] | None = None


class AttemptRecord(msgspec.Struct, frozen=True, array_like=True):
    """One upstream call. `outcome` is `ok`, `cancelled` or the `FailureKind`'s value; `status` is the provider's.

    `cost_nano_usd` of None is the state `unpriced`. It is what the provider says it charged (`usage.billing`) where it
    does, else `computed_nano_usd`, which is by the price row `price_id`; `cost_missing` names what was used and has no
    price there.
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
    cost_missing: tuple[str, ...] = ()
    computed_nano_usd: int | None = None

    @property
    def reported_nano_usd(self) -> int | None:
        """What the provider says it charged."""
        return self.usage.billing.cost_nano_usd if self.usage is not None and self.usage.billing is not None else None


class RequestRecord(msgspec.Struct, frozen=True, array_like=True):
    """One client request, settled. `status` is the HTTP status sent (499 for a client that left).

    `route` is the alias, or `auto`, that it went by; `decision` says what decided there. `savings_nano_usd` are filled
    in when it is carried over to the database; None is not known, or nothing was decided.
    """

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
    charges: tuple[Charge, ...] = ()
    refused_by: str = ""  # `key:key_0198`: whose limit or budget allowed it not
    attribution: Attribution = UNATTRIBUTED
    would_refuse: tuple[str, ...] = ()  # the same, of budgets in `shadow`: it passed all the same
    route: str = ""
    holdout: bool = False
    savings_nano_usd: int | None = None
    decision: DecisionNote | None = None


_KEPT_OF_ID = 90  # of 128 characters: a decision's id is 36


def distinct(record: RequestRecord) -> RequestRecord:
    """A record whose id another request has: clients may choose ids and use them again, and each request counts.

    The decision's id, which no client chooses, tells them apart; the same record always gets the same id.
    """
    own_id = f"{record.request_id[:_KEPT_OF_ID]}~{record.decision_id}"
    return msgspec.structs.replace(record, request_id=own_id)
