"""Turns a provider's refusal into an `UpstreamFailure`: which kind, how long to wait, and its own words.

Contract section 7 decides by kind, so quota and rate, an invalid key and a bad request, a missing model and
a prompt too long must be told apart here; what tells them apart is data. Source: providers' error pages and
client libraries (read 2026-11).
"""

import re
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

import msgspec

from adapters.wire.error_body import MAX_MESSAGE_CHARS, ErrorFacts, error_facts, read_error
from adapters.wire.limit_headers import HeaderTable
from adapters.wire.rate_limits import (
    RawHeaders,
    exhausted_seconds,
    read_limits,
    reset_seconds,
    seconds_to_next,
)
from adapters.wire.undecodable import UNDECODABLE
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.secrets import MASK, Secret

Decoded = TypeVar("Decoded")


class RefusalTable(Protocol):
    """What is particular about one provider's refusals."""

    @property
    def error_kinds(self) -> dict[str, str]:
        """Its error codes or types -> `FailureKind`, besides those every provider shares."""
        ...

    @property
    def quota_resets(self) -> str:
        """When a spent free tier comes back, in UTC: `day`, `month`, or empty."""
        ...

    @property
    def limits(self) -> HeaderTable: ...


class Refusals(msgspec.Struct, frozen=True):
    """A `RefusalTable` for dialects that have no other quirks."""

    error_kinds: dict[str, str] = {}
    quota_resets: str = ""
    limits: HeaderTable = {}


_RATE, _QUOTA = FailureKind.RATE_LIMITED, FailureKind.QUOTA_EXHAUSTED
_KEY, _FAULT = FailureKind.INVALID_CREDENTIAL, FailureKind.CLIENT_FAULT
_SERVER, _BUSY = FailureKind.SERVER_ERROR, FailureKind.OVERLOADED
_ABSENT, _LONG = FailureKind.MODEL_ABSENT, FailureKind.CONTEXT_LENGTH

_BY_STATUS: Final[dict[int, FailureKind]] = {
    400: _FAULT,
    401: _KEY,
    402: _QUOTA,
    403: _KEY,
    404: _ABSENT,
    405: _SERVER,
    408: _SERVER,
    409: _SERVER,
    424: _SERVER,
    425: _SERVER,
    429: _RATE,
    498: _BUSY,  # Groq: flex capacity
    503: _BUSY,
}

_WORDS: Final[dict[str, FailureKind]] = {
    "insufficient_quota": _QUOTA,
    "credit_balance_exhausted": _QUOTA,
    "organization_spend_limit_exceeded": _QUOTA,
    "project_spend_limit_exceeded": _QUOTA,
    "organization_usage_limit_exceeded": _QUOTA,
    "billing_hard_limit_reached": _QUOTA,
    "billing_not_active": _QUOTA,
    "exceeded_current_quota_error": _QUOTA,
    "insufficient_balance": _QUOTA,
    "insufficient_credits": _QUOTA,
    "payment_required": _QUOTA,
    "Arrearage": _QUOTA,
    "Throttling.AllocationQuota": _RATE,
    "rate_limit_exceeded": _RATE,
    "rate_limit_error": _RATE,
    "rate_limit_reached_error": _RATE,
    "too_many_requests_error": _RATE,
    "too_many_requests": _RATE,
    "slow_down": _RATE,
    "limit_requests": _RATE,
    "Throttling": _RATE,
    "Throttling.RateQuota": _RATE,
    "RESOURCE_EXHAUSTED": _RATE,
    "engine_overloaded_error": _BUSY,
    "server_is_overloaded": _BUSY,
    "overloaded_error": _BUSY,
    "unavailable_error": _BUSY,
    "UNAVAILABLE": _BUSY,
    "invalid_api_key": _KEY,
    "API_KEY_INVALID": _KEY,
    "API_KEY_SERVICE_BLOCKED": _KEY,
    "account_deactivated": _KEY,
    "FAILED_PRECONDITION": _KEY,  # Google: not served here, or no billing; no other request will fare better
    "model_not_found": _ABSENT,
    "model_not_found_error": _ABSENT,
    "model_not_supported": _ABSENT,
    "model_decommissioned": _ABSENT,
    "context_length_exceeded": _LONG,
    "exceed_context_size_error": _LONG,
    "content_policy_violation": _FAULT,
    "moderation_blocked": _FAULT,
    "invalid_prompt": _FAULT,
}

_TOO_LONG = re.compile(
    r"maximum context length|context (?:length|window|size)|prompt is too long|input is too long"
    r"|too many (?:input )?tokens|exceeds? the (?:model'?s )?max(?:imum)?(?: number of)? (?:input )?tokens"
    r"|max_model_len|reduce the length of",
    re.IGNORECASE,
)
_BAD_KEY = re.compile(r"api[ _-]?key (?:not valid|not found|expired)|(?:invalid|incorrect) api[ _-]?key", re.IGNORECASE)
_SPENT = re.compile(
    r"per[ _-]?day|daily|per[ _-]?month|monthly|insufficient (?:balance|credits?|quota)|exceeded your current quota"
    r"|out of credits|no credits",
    re.IGNORECASE,
)
_NOT_ON_FREE_TIER = re.compile(r"limit: 0(?![.\d])")
_RETRY_IN = re.compile(
    r"(?:try again|retry|wait|available) (?:in|after)\s+((?:\d+(?:\.\d+)?(?:ms|us|ns|h|m|s))+)\b", re.IGNORECASE
)


def failure_from_answer(
    status: int, headers: RawHeaders, body: bytes, table: RefusalTable, *, secret: Secret | None, now: float
) -> UpstreamFailure:
    """What an answer that is no 2xx means. `now` is Unix time; `secret` is masked wherever it is echoed."""
    facts = read_error(body)
    kind = _kind(status, facts, table)
    waits = kind in {_RATE, _QUOTA, _BUSY, _SERVER}
    return UpstreamFailure(
        kind,
        shown(facts.message or f"The provider answered with HTTP {status}.", secret),
        status=400 if kind is _FAULT and status not in {400, 413, 422} else status,
        retry_after_seconds=_wait((*facts.headers, *headers), facts, table, kind, now) if waits else None,
        type_=shown(facts.type, secret) or None,
        code=shown(facts.code, secret) or None,
        param=facts.param,
    )


def failure_in_body(body: bytes, table: RefusalTable, *, secret: Secret | None, now: float) -> UpstreamFailure:
    """What an error told with status 200 means."""
    return _told_with_200(read_error(body), table, secret, now)


def failure_in_stream(error: object, table: RefusalTable, *, secret: Secret | None, now: float) -> UpstreamFailure:
    """The same for the value of an `error` field in a stream."""
    return _told_with_200(error_facts(error), table, secret, now)


def unreadable(beginning: bytes, secret: Secret | None, wanted: str = "a chat completion") -> UpstreamFailure:
    """A 200 whose body is not what it should be."""
    text = shown(beginning[:2048].decode("utf-8", "replace"), secret)[:80]
    return UpstreamFailure(
        _SERVER, f"The provider's answer is not {wanted}: {text!r}.", status=200, code="invalid_response"
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
    return UpstreamFailure(_SERVER, f"The provider's answer is invalid: {what}.", status=200, code="invalid_response")


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


def _told_with_200(facts: ErrorFacts, table: RefusalTable, secret: Secret | None, now: float) -> UpstreamFailure:
    """The code is often the status the provider's own upstream gave (OpenRouter, llama.cpp, Google)."""
    told = int(facts.code) if re.fullmatch("[45][0-9][0-9]", facts.code) else 500
    kind = _kind(told, facts, table)
    return UpstreamFailure(
        kind,
        shown(facts.message or "The provider reported an error in its answer.", secret),
        status=(told if told in {400, 413, 422} else 400) if kind in {_FAULT, _LONG} else 200,
        retry_after_seconds=_wait(facts.headers, facts, table, kind, now) if kind in {_RATE, _QUOTA, _BUSY} else None,
        type_=shown(facts.type, secret) or None,
        code=shown(facts.code, secret) or None,
        param=facts.param,
    )


def _kind(status: int, facts: ErrorFacts, table: RefusalTable) -> FailureKind:
    own = next((table.error_kinds[word] for word in facts.words if word in table.error_kinds), None)
    if own is not None:
        return _sharpened(FailureKind(own), facts)
    known = next((_WORDS[word] for word in facts.words if word in _WORDS), None)
    if facts.flagged:
        return _FAULT
    if known is _LONG or (status in {400, 413, 422, 500} and _TOO_LONG.search(facts.message)):
        return _LONG
    if status == 413:
        return _FAULT
    if known is not None:
        return _sharpened(known, facts)
    if status == 400 and _BAD_KEY.search(facts.message):
        return _KEY
    return _sharpened(_BY_STATUS.get(status, _FAULT if 400 <= status < 500 else _SERVER), facts)


def _sharpened(kind: FailureKind, facts: ErrorFacts) -> FailureKind:
    """A rate limit of a day or a month is a spent quota; a limit of zero is a model not offered to this key."""
    if kind is not _RATE:
        return kind
    if _NOT_ON_FREE_TIER.search(facts.message):
        return _ABSENT
    if facts.quota_ids:
        return _QUOTA if any("PerDay" in quota_id for quota_id in facts.quota_ids) else _RATE
    return _QUOTA if _SPENT.search(facts.message) else _RATE


def _wait(
    headers: tuple[tuple[bytes, bytes], ...], facts: ErrorFacts, table: RefusalTable, kind: FailureKind, now: float
) -> float | None:
    """Seconds until a retry may help, from the most to the least explicit source."""
    by_name = {name.lower(): value.decode("latin-1") for name, value in headers}
    milliseconds = by_name.get(b"retry-after-ms", "").strip()
    if milliseconds.replace(".", "", 1).isdigit():
        return float(milliseconds) / 1000
    for told in (by_name.get(b"retry-after", ""), facts.retry_delay):
        seconds = reset_seconds(told, now)
        if seconds is not None:
            return seconds
    if facts.estimated_seconds is not None:
        return facts.estimated_seconds
    spent = exhausted_seconds(read_limits(headers, table.limits, now))
    if spent is not None:
        return spent
    in_words = _RETRY_IN.search(facts.message)
    if in_words is not None:
        return reset_seconds(in_words[1], now)
    return seconds_to_next(table.quota_resets, now) if kind is _QUOTA else None
