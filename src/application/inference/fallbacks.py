"""What a route's `fallback_on` means for the attempt loop: which causes lead to its next target, and no other."""

import asyncio
from typing import Final, TypeVar

import msgspec

from application.inference.books import Entry
from application.inference.calls import Served
from application.inference.streams import HeldStream
from domain.errors import UpstreamFailure
from domain.failover import NextCandidate
from domain.ports.providers import ProviderAnswer
from domain.provider_limits import LimitClass
from domain.routes import CAUSES, FallbackCause
from domain.routing import Policy

T = TypeVar("T")

_SPENT: Final = frozenset({LimitClass.CREDIT, LimitClass.SPEND_CAP, LimitClass.SPEND_RATE})
"""Limits of money: what an account, or somebody for it, will not pay."""


_TIMED_OUT: Final = frozenset({408, 504, 522, 524})
"""Statuses by which a provider, or a proxy before it, says that time ran out there."""


def cause_of(failure: UpstreamFailure) -> FallbackCause | None:
    """The cause that a failure is; None for what is the client's own fault, and the same everywhere."""
    cause = CAUSES[failure.kind]
    if cause is FallbackCause.RATE_LIMIT and failure.limit is not None and failure.limit.cause in _SPENT:
        return FallbackCause.SPEND_CAP
    if cause is FallbackCause.ERROR and failure.status in _TIMED_OUT:
        return FallbackCause.TIMEOUT
    return cause


class Fallbacks:
    """The causes that one request's route names."""

    __slots__ = ("_causes",)

    def __init__(self, causes: frozenset[FallbackCause]) -> None:
        self._causes = causes

    def refused(self, value: object) -> bool:
        """Whether an answer says no, and the route asks the next target then."""
        return FallbackCause.REFUSAL in self._causes and refuses(value)

    def names(self, cause: FallbackCause | None) -> bool:
        """Whether a target that was passed over for this cause is followed by the next. None: for another reason."""
        return cause is None or cause in self._causes

    def following(self, failure: UpstreamFailure, otherwise: NextCandidate) -> NextCandidate | None:
        """What may follow a failure, `otherwise` being what its kind allows. None: nothing, as the route says so."""
        cause = cause_of(failure)
        if cause is None:
            return otherwise
        if cause not in self._causes:
            return otherwise if otherwise is NextCandidate.NO else None
        return NextCandidate.YES if otherwise is NextCandidate.NO else otherwise


def fallbacks_of(policy: Policy) -> Fallbacks | None:
    """Those of a route; None where nothing is said of them."""
    return Fallbacks(policy.fallback_on) if policy.fallback_on is not None else None


async def let_go(entry: Entry, served: Served[T]) -> None:
    """Book an answer that refused and is not passed on, and give up what is left of it."""
    value, usage, text = served.value, None, ""
    served.lease.release()
    if isinstance(value, HeldStream):
        usage, text = value.stream.usage, value.stream.output_text()
        await asyncio.shield(value.aclose())
    elif isinstance(value, ProviderAnswer):
        usage, text = value.usage, value.output_text
    entry.refused(served.attempt, usage, text)


class _Reason(msgspec.Struct):
    reason: str | None = None


class _Part(msgspec.Struct):
    type: str | None = None
    refusal: str | None = None


class _Item(msgspec.Struct):
    content: list[_Part] | str | None = None


class _Said(msgspec.Struct):
    """A message, or what a stream adds to one; Anthropic's `message_delta` has its reason here."""

    refusal: str | None = None
    stop_reason: str | None = None


class _Choice(msgspec.Struct):
    finish_reason: str | None = None
    message: _Said | None = None
    delta: _Said | None = None


class _Candidate(msgspec.Struct, rename="camel"):
    finish_reason: str | None = None


class _Blocked(msgspec.Struct, rename="camel"):
    block_reason: str | None = None


class _Response(msgspec.Struct):
    incomplete_details: _Reason | None = None
    output: list[_Item] | None = None


class _Answer(msgspec.Struct):
    """Every place where an answer, or an event of one, says that it refuses, of all formats that clients speak."""

    choices: list[_Choice] | None = None
    stop_reason: str | None = None
    delta: _Said | str | None = None
    type: str | None = None
    incomplete_details: _Reason | None = None
    output: list[_Item] | None = None
    response: _Response | None = None
    candidates: list[_Candidate] | None = None
    prompt_feedback: _Blocked | None = msgspec.field(name="promptFeedback", default=None)


_FILTERED: Final = frozenset({"content_filter", "refusal"})
_BLOCKED: Final = frozenset({"SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "IMAGE_SAFETY", "RECITATION"})
_REFUSING_EVENTS: Final = frozenset({"response.refusal.delta", "response.refusal.done"})

_read = msgspec.json.Decoder(_Answer, strict=False).decode


def refuses(value: object) -> bool:
    """Whether an answer says no: by `finish_reason`, `stop_reason`, `refusal` or a block, never by its words.

    A stream is looked at as far as it was held: before its first content, or with it.
    """
    if isinstance(value, ProviderAnswer):
        return _says_no(value.body)
    if isinstance(value, HeldStream):
        lines = b"".join(value.blocks).splitlines()
        return any(_says_no(line[5:]) for line in lines if line.startswith(b"data:"))
    return False


def _says_no(document: bytes) -> bool:
    try:
        answer = _read(document)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    if answer.stop_reason in _FILTERED or answer.type in _REFUSING_EVENTS:
        return True
    if isinstance(answer.delta, _Said) and answer.delta.stop_reason in _FILTERED:
        return True
    if answer.prompt_feedback is not None and answer.prompt_feedback.block_reason:
        return True
    if any(candidate.finish_reason in _BLOCKED for candidate in answer.candidates or ()):
        return True
    return any(map(_choice_refuses, answer.choices or ())) or _response_refuses(answer)


def _choice_refuses(choice: _Choice) -> bool:
    said = choice.message or choice.delta
    return choice.finish_reason in _FILTERED or (said is not None and bool(said.refusal))


def _response_refuses(answer: _Answer) -> bool:
    for response in (answer, answer.response):
        if response is None:
            continue
        if response.incomplete_details is not None and response.incomplete_details.reason in _FILTERED:
            return True
        parts = (part for item in response.output or () if isinstance(item.content, list) for part in item.content)
        if any(part.type == "refusal" or part.refusal for part in parts):
            return True
    return False
