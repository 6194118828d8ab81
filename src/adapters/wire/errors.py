"""Turns a provider's refusal into an `UpstreamFailure`: kind, scope, how long to wait, and its own words.

Contract section 7 decides by kind and scope, so quota and rate, an invalid key and a blocked model, a missing model and
a feature it lacks must be told apart here; what tells them apart is data (`refusal_rules`). Words, codes and quota ids
outrank the status. Source: providers' error pages and client libraries (read 2026-11).
"""

import re
from collections.abc import Callable
from typing import Protocol, TypeVar

import msgspec

from adapters.wire.error_body import MAX_MESSAGE_CHARS, ErrorFacts, error_facts, read_error
from adapters.wire.limit_causes import limit_fact, rests
from adapters.wire.limit_headers import HeaderTable
from adapters.wire.rate_limits import RawHeaders, exhausted_seconds, read_limits, seconds_to_next
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.refusal_meaning import Meaning, meaning_of
from adapters.wire.refusal_rules import LASTS_A_DAY, PERIODS, STATUS_OF_TYPE, UNSTATED
from adapters.wire.waits import stated_wait, windows_wait
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.secrets import MASK, Secret

Decoded = TypeVar("Decoded")


class RefusalTable(Protocol):
    """What is particular about one provider's refusals."""

    @property
    def error_kinds(self) -> dict[str, str]:
        """Its error codes or types -> `FailureKind`, with ` model` behind it where it holds for one model only."""
        ...

    @property
    def quota_resets(self) -> str:
        """When a spent free tier comes back: `day`, `month`, or empty."""
        ...

    @property
    def quota_zone(self) -> str:
        """The zone in which its day begins."""
        ...

    @property
    def limits_by_model(self) -> bool:
        """Whether its rate limits are counted for each model."""
        ...

    @property
    def limits(self) -> HeaderTable: ...


class Refusals(msgspec.Struct, frozen=True):
    """A `RefusalTable` for dialects that have no other quirks."""

    error_kinds: dict[str, str] = {}
    quota_resets: str = ""
    quota_zone: str = "UTC"
    limits_by_model: bool = False
    limits: HeaderTable = {}


_SHORTEST_RESET_SECONDS = 600.0
"""What Google's RetryInfo says beside a spent day is when its counter moves next, not when the day is over."""

_LIMITS = frozenset({FailureKind.RATE_LIMITED, FailureKind.QUOTA_EXHAUSTED})
_WAITING = _LIMITS | {FailureKind.OVERLOADED, FailureKind.SERVER_ERROR}
_AS_THE_CLIENTS = frozenset({400, 404, 405, 409, 413, 415, 422})


def failure_from_answer(
    status: int, headers: RawHeaders, body: bytes, table: RefusalTable, *, secret: Secret | None, now: float
) -> UpstreamFailure:
    """What an answer that is no 2xx means. `now` is Unix time; `secret` is masked wherever it is echoed."""
    headers = tuple(headers)
    return _failure(status, status, headers, read_error(body), table, secret, now)


def failure_in_body(body: bytes, table: RefusalTable, *, secret: Secret | None, now: float) -> UpstreamFailure:
    """What an error reported with status 200 means."""
    return _reported_with_200(read_error(body), table, secret, now)


def failure_in_stream(error: object, table: RefusalTable, *, secret: Secret | None, now: float) -> UpstreamFailure:
    """The same for the value of an `error` field in a stream."""
    return _reported_with_200(error_facts(error), table, secret, now)


def unreadable(beginning: bytes, secret: Secret | None, wanted: str = "a chat completion") -> UpstreamFailure:
    """A 200 whose body is not what it should be."""
    text = shown(beginning[:2048].decode("utf-8", "replace"), secret)[:80]
    return UpstreamFailure(
        FailureKind.SERVER_ERROR,
        f"The provider's answer is not {wanted}: {text!r}.",
        status=200,
        code="invalid_response",
    )


def decoded(
    decode: Callable[[bytes], Decoded], body: bytes, secret: Secret | None, wanted: str = "a chat completion"
) -> Decoded:
    """What a 200's body holds. Raises `UpstreamFailure` where it is not what it should be."""
    try:
        return decode(body)
    except UNDECODABLE:
        raise unreadable(body, secret, wanted) from None


def invalid_answer(what: str) -> UpstreamFailure:
    """A 200 that breaks its protocol."""
    return UpstreamFailure(
        FailureKind.SERVER_ERROR, f"The provider's answer is invalid: {what}.", status=200, code="invalid_response"
    )


def cut_off() -> UpstreamFailure:
    """R-08: a stream's bytes ended before its answer did."""
    return UpstreamFailure(
        FailureKind.TRUNCATED, "The provider's stream ended before its answer was complete.", status=200
    )


def shown(text: str, secret: Secret | None) -> str:
    """`text` without the credential, cut to 1 KiB. Masked first: a cut could leave half a key."""
    if secret is not None and len(secret.reveal()) > 3:
        text = text.replace(secret.reveal(), MASK)
    return text if len(text) <= MAX_MESSAGE_CHARS else text[: MAX_MESSAGE_CHARS - 1] + "…"


def _reported_with_200(facts: ErrorFacts, table: RefusalTable, secret: Secret | None, now: float) -> UpstreamFailure:
    """The code is often the status the provider's own upstream gave (OpenRouter, llama.cpp, Google)."""
    status = next((int(word) for word in facts.words if re.fullmatch("[45][0-9][0-9]", word)), None)
    if status is None:
        status = next(
            (STATUS_OF_TYPE[word.lower()] for word in facts.words if word.lower() in STATUS_OF_TYPE), UNSTATED
        )
    return _failure(status, 200, (), facts, table, secret, now)


def _failure(
    status: int,
    shown_status: int,
    headers: tuple[tuple[bytes, bytes], ...],
    facts: ErrorFacts,
    table: RefusalTable,
    secret: Secret | None,
    now: float,
) -> UpstreamFailure:
    """`status` is what decides where the words do not; `shown_status` the answer's own."""
    meaning = meaning_of(status, facts, table)
    windows = read_limits((*facts.headers, *headers), table.limits, now)
    limit = limit_fact(status, meaning.kind, meaning.scope, facts, windows)
    kind, scope = rests(limit, meaning.kind, meaning.scope)
    meaning = Meaning(kind, scope, meaning.wait_seconds)
    if kind in {FailureKind.CLIENT_FAULT, FailureKind.CONTENT_POLICY}:
        shown_status = status if status in _AS_THE_CLIENTS else 400
    elif kind in {FailureKind.FEATURE_REFUSED, FailureKind.CONTEXT_LENGTH, FailureKind.OVER_ALLOWANCE}:
        shown_status = status if status in {400, 413, 422} else 400
    elif kind is FailureKind.OVERLOADED and status == 529:
        shown_status = 529
    nothing = (
        f"The provider answered with HTTP {shown_status}."
        if shown_status != 200
        else "The provider reported an error in its answer."
    )
    return UpstreamFailure(
        kind,
        shown(facts.message or nothing, secret),
        status=shown_status,
        retry_after_seconds=_wait(headers, facts, table, meaning, now),
        type_=shown(facts.type, secret) or None,
        code=shown(facts.code, secret) or None,
        param=facts.param,
        scope=meaning.scope,
        limit=limit,
    )


def _wait(
    headers: tuple[tuple[bytes, bytes], ...], facts: ErrorFacts, table: RefusalTable, meaning: Meaning, now: float
) -> float | None:
    """Seconds until a retry may help: what the answer names, else its spent windows, else the provider's reset."""
    if meaning.kind not in _WAITING:
        return meaning.wait_seconds
    stated = stated_wait(headers, facts, now, table.quota_zone)
    if (
        meaning.kind is FailureKind.QUOTA_EXHAUSTED
        and facts.found.quota_ids
        and (stated or 0) < _SHORTEST_RESET_SECONDS
    ):
        stated = seconds_to_next("day", now, table.quota_zone)
    if stated is not None and (stated > 0 or meaning.kind not in _LIMITS):
        return stated
    if meaning.kind in _LIMITS:
        all_headers = (*facts.headers, *headers)
        spent = exhausted_seconds(read_limits(all_headers, table.limits, now)) or windows_wait(all_headers, now)
        if spent is not None:
            return spent
    if meaning.kind is FailureKind.QUOTA_EXHAUSTED:
        reset = seconds_to_next(_period(facts, table), now, table.quota_zone)
        return reset if reset is not None else stated
    return stated


def _period(facts: ErrorFacts, table: RefusalTable) -> str:
    """What the spent quota is counted by: in the answer's words, else as the provider's row says."""
    text = facts.says
    if LASTS_A_DAY.search(text):
        named = next((period for period, words in PERIODS if words.search(text)), None)
        if named is not None:
            return named
    return table.quota_resets
