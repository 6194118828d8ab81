"""Responses that an upstream makes after it has answered: what is known when they begin, and what of them ends."""

import hashlib
from datetime import datetime, timedelta
from typing import Final

import msgspec

from domain.attribution import UNATTRIBUTED, Attribution
from domain.ports.budgets import BudgetTerm
from domain.records import Charge
from domain.usage import TokenUsage

RUNNING: Final = frozenset({"queued", "in_progress"})
"""A response in any other state changes no more. Source: openai-python 3.52, `ResponseStatus` (read 2026-11)."""

UNSAID: Final = "unsaid"
"""Of an answer that says nothing of how the response stands."""

FORGOTTEN: Final = "forgotten"
"""Nobody can say any more what became of it."""

LOOKS_AFTER: Final = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(days=1))
"""When it is looked for, counted from its beginning, as long as nobody has fetched it to its end."""

FACT_PREFIX: Final = "background_response:"


class KeptState(msgspec.Struct, frozen=True):
    """How a response that its provider keeps stands, as the provider has just said. `status` is the provider's word.

    `fetched` tells that it was asked for, and not made, just now.
    """

    upstream_id: str
    status: str
    model: str
    usage: TokenUsage | None = None
    output_text: str = ""  # what was generated, given only where `usage` is None
    fetched: bool = False

    @property
    def runs(self) -> bool:
        """Whether it may change yet, as far as was said."""
        return self.status in RUNNING or self.status == UNSAID


class BackgroundResponse(msgspec.Struct, frozen=True):
    """One that had not ended when its request had. Whose it is, and which budgets it is to be charged to.

    `input_tokens` are the prompt's, by estimate: for a provider that never says what was used.
    """

    provider_id: str
    upstream_id: str
    provider_key_id: str | None
    request_id: str
    decision_id: str
    created_at: datetime
    tenant_id: str
    key_id: str | None
    requested_model: str
    model: str
    input_tokens: int
    attribution: Attribution = UNATTRIBUTED
    route: str = ""
    terms: tuple[BudgetTerm, ...] = ()
    looks: int = 0
    held: tuple[Charge, ...] = ()  # what is held in its budgets while it runs

    @property
    def hold_id(self) -> str:
        """The id under which money is held for it."""
        return hold_id_of(self.decision_id)

    @property
    def fact(self) -> str:
        """The name under which it is kept."""
        return fact_of(self.provider_id, self.upstream_id)

    def is_due(self, now: datetime) -> bool:
        """Whether it is to be looked for."""
        return self.looks >= len(LOOKS_AFTER) or now >= self.created_at + LOOKS_AFTER[self.looks]


def hold_id_of(decision_id: str) -> str:
    """The id under which the money of a request is held on, whose response is not yet made."""
    return f"{decision_id}~runs"


def fact_of(provider_id: str, upstream_id: str) -> str:
    """The name under which a response of a provider is kept while it runs."""
    return FACT_PREFIX + hashlib.sha256(f"{provider_id}\0{upstream_id}".encode()).hexdigest()
