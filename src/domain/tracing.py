"""A request's place in a trace (W3C Trace Context), while somebody collects traces; else none of this is used.

Source: https://www.w3.org/TR/trace-context/ (read 2026-11).
"""

import re
import secrets
from contextvars import ContextVar
from typing import Final

import msgspec

_TRACEPARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_MAX_STATE: Final = 512
"""Characters of `tracestate` that are passed on; the standard asks for as many at least."""


class AttemptSpan(msgspec.Struct, frozen=True):
    """One call upstream: the id that the provider is told, and when it began, in nanoseconds since 1970."""

    span_id: str
    started_ns: int


class RequestTrace:
    """Of one request: in which trace it is, whose child, and the calls it has made so far."""

    __slots__ = ("attempts", "parent_id", "sampled", "started_ns", "state", "trace_id", "traceparent")

    def __init__(self, trace_id: str, parent_id: str, state: str, started_ns: int, *, sampled: bool) -> None:
        self.trace_id = trace_id
        self.parent_id = parent_id  # empty: it is the first of its trace
        self.state = state
        self.started_ns = started_ns
        self.sampled = sampled
        self.attempts: dict[tuple[str, int], AttemptSpan] = {}  # by decision and number
        self.traceparent = ""  # what the call under way tells its provider

    def attempt_begins(self, decision_id: str, number: int, started_ns: int) -> None:
        """A call goes upstream: from here on its provider is told that it is the call's child."""
        span = AttemptSpan(new_span_id(), started_ns)
        self.attempts[decision_id, number] = span
        self.traceparent = f"00-{self.trace_id}-{span.span_id}-{'01' if self.sampled else '00'}"


current_trace: Final[ContextVar[RequestTrace | None]] = ContextVar("current_trace", default=None)
"""Of the request that is being served. It is no argument of everything between the edge and a connection, since nothing
in between needs it."""


def parse_traceparent(value: str) -> tuple[str, str, bool] | None:
    """Trace id, parent's id and whether it is sampled; None for what is none, which begins a trace of its own."""
    match = _TRACEPARENT.fullmatch(value.strip())
    if match is None:
        return None
    version, trace_id, parent_id, flags, rest = match.groups()
    if version == "ff" or (version == "00" and rest) or not trace_id.strip("0") or not parent_id.strip("0"):
        return None
    return trace_id, parent_id, bool(int(flags, 16) & 1)


def kept_state(values: list[str]) -> str:
    """`tracestate` to be passed on, as the standard joins several; nothing where it is too long or not ASCII."""
    joined = ",".join(value.strip() for value in values)
    return joined if len(joined) <= _MAX_STATE and joined.isascii() and joined.isprintable() else ""


def new_trace_id() -> str:
    return secrets.token_hex(16)


def new_span_id() -> str:
    return secrets.token_hex(8)
