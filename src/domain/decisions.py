"""Routing decisions as they are written down with a request: small, and enough to read back and to replay.

They lie in the spool and in the database as arrays, and a newer version may find an older one's: new fields go last,
with a default.
"""

from typing import Final

import msgspec

from domain.usage import TokenUsage

MAX_NOTED: Final = 12
"""Candidates of a decision that are written down, those that were called beside. A record has a KiB on average."""


class Weighed(msgspec.Struct, frozen=True, array_like=True):
    """One deployment that was looked at. `excluded_by` is empty where it could be asked.

    `parts` are quality, cost, latency, health and cache, or nothing where there is no score; `assumed` says that the
    quality is the median. `cost_nano_usd` is what the request's tokens cost there, by the price in force when it was
    settled; None is unpriced.
    """

    provider_id: str
    model: str
    excluded_by: str = ""
    score: float | None = None
    parts: tuple[float | None, ...] = ()
    assumed: bool = False
    cost_nano_usd: int | None = None

    @property
    def name(self) -> str:
        """As `provider/model`."""
        return f"{self.provider_id}/{self.model}"


class DecisionNote(msgspec.Struct, frozen=True, array_like=True):
    """What decided where a request went. `candidates` are in the order to try them, those excluded by a rule last.

    `left_out` counts candidates that are not written down. `task` of "" is one that nobody read. `baseline` is the one
    that was asked for, as `provider/model`; from `priced_against` on it is filled in when the request is carried over
    to the database: the baseline that counts, its price, and what the same tokens cost there.
    """

    route: str
    strategy: str
    version: int = 0
    candidates: tuple[Weighed, ...] = ()
    left_out: int = 0
    task: str = ""
    task_confidence: float = 0.0
    task_source: str = ""
    baseline: str = ""
    holdout: bool = False
    affinity: str = ""
    prompt_tokens: int | None = None
    priced_against: str = ""
    baseline_price_id: str | None = None
    baseline_nano_usd: int | None = None


class StoredDecision(msgspec.Struct, frozen=True):
    """A decision as it is read back. `used` are the tokens of the call that counts: the last one."""

    decision_id: str
    request_id: str
    note: DecisionNote
    used: TokenUsage | None = None
