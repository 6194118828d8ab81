"""What Bedrock's refusals mean: the exception's name says more than its status.

Source: botocore 1.44.5 service model; errors as seen with its client (read 2026-11). The name stands in the header
`x-amzn-ErrorType`, before a colon; the body has `message` or `Message`. A spent quota is a 400, a cold model a 429.
"""

import re
from typing import Final

import msgspec

from adapters.wire.errors import Refusals, failure_from_answer, failure_in_body, shown
from adapters.wire.rate_limits import RawHeaders
from adapters.wire.sift import unsupported
from adapters.wire.undecodable import UNDECODABLE
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.secrets import Secret

_KINDS: Final[dict[str, FailureKind]] = {
    "accessdenied": FailureKind.INVALID_CREDENTIAL,
    "expiredtoken": FailureKind.INVALID_CREDENTIAL,
    "incompletesignature": FailureKind.INVALID_CREDENTIAL,
    "invalidclienttokenid": FailureKind.INVALID_CREDENTIAL,
    "invalidsignature": FailureKind.INVALID_CREDENTIAL,
    "missingauthenticationtoken": FailureKind.INVALID_CREDENTIAL,
    "signaturedoesnotmatch": FailureKind.INVALID_CREDENTIAL,
    "unrecognizedclient": FailureKind.INVALID_CREDENTIAL,
    "internalserver": FailureKind.SERVER_ERROR,
    "internalfailure": FailureKind.SERVER_ERROR,
    "modelerror": FailureKind.SERVER_ERROR,
    "modelnotready": FailureKind.OVERLOADED,
    "modelstreamerror": FailureKind.SERVER_ERROR,
    "modeltimeout": FailureKind.SERVER_ERROR,
    "resourcenotfound": FailureKind.MODEL_ABSENT,
    "servicequotaexceeded": FailureKind.QUOTA_EXHAUSTED,
    "serviceunavailable": FailureKind.OVERLOADED,
    "throttling": FailureKind.RATE_LIMITED,
    "toomanyrequests": FailureKind.RATE_LIMITED,
    "validation": FailureKind.CLIENT_FAULT,
}
_NEEDS_PROFILE: Final = re.compile(r"on-demand throughput isn.t supported", re.IGNORECASE)
_NO_MODEL: Final = re.compile(
    r"model identifier is invalid|could not resolve the foundation model|model.{0,40}(?:not found|end of its life)"
    r"|don.t have access to the model",
    re.IGNORECASE,
)
_TOO_LONG: Final = re.compile(
    r"input is too long|too many input tokens|prompt is too long|exceeds? the (?:model'?s )?(?:maximum )?"
    r"(?:context|input|token)|maximum context length",
    re.IGNORECASE,
)
_LACKS: Final = re.compile(
    r"(?:doesn.t|does not) support (?:the )?(tool|system|image|document|video|audio|stopSequences|top|temperature)",
    re.IGNORECASE,
)
_LACKED_PARAMS: Final = {"tool": "tools", "stopsequences": "stop", "temperature": "temperature", "top": "top_p"}
_DAILY: Final = re.compile(r"per day|daily", re.IGNORECASE)
_WAITS: Final = {
    FailureKind.RATE_LIMITED,
    FailureKind.QUOTA_EXHAUSTED,
    FailureKind.OVERLOADED,
    FailureKind.SERVER_ERROR,
}
_SIGNED_TEXT: Final = re.compile(r"\s*The Canonical String for this request.*", re.DOTALL)
"""A refused signature repeats what was signed, with the session's token in it."""

PROFILE_HINT: Final = (
    " Ask for it by its inference profile: the id with a prefix such as 'us.', 'eu.', 'apac.' or 'global.', "
    "or the profile's ARN."
)


class _Refusal(msgspec.Struct):
    message: str = ""
    Message: str = ""
    type_: str = msgspec.field(default="", name="__type")

    @property
    def words(self) -> str:
        return self.message or self.Message


_decode = msgspec.json.Decoder(_Refusal).decode


def failure_from_bedrock(
    status: int, headers: RawHeaders, body: bytes, *, secret: Secret | None, now: float
) -> UpstreamFailure:
    """What an answer that is no 2xx means."""
    headers = tuple(headers)
    named = next((value for name, value in headers if name.lower() == b"x-amzn-errortype"), b"").decode("latin-1")
    refusal = _refusal(body)
    general = failure_from_answer(status, headers, body, Refusals(), secret=secret, now=now)
    kind = _kind(named or refusal.type_, refusal.words, status)
    if kind is None:
        return general
    lacks = _LACKS.search(refusal.words) if kind is FailureKind.CLIENT_FAULT else None
    if lacks is not None:
        return unsupported(_LACKED_PARAMS.get(lacks[1].lower(), "messages"), refusal.words)
    return _failure(
        kind,
        refusal.words or general.message,
        status,
        named or refusal.type_,
        secret,
        general.retry_after_seconds if kind in _WAITS else None,
    )


def failure_in_event(name: str, payload: bytes, message: str, *, secret: Secret | None, now: float) -> UpstreamFailure:
    """What an exception in the midst of a stream means."""
    words = _refusal(payload).words or message
    kind = _kind(name, words)
    if kind is None:
        return failure_in_body(payload, Refusals(), secret=secret, now=now)
    return _failure(kind, words or f"The provider broke off with {name}.", 200, name, secret, None)


def _failure(
    kind: FailureKind, words: str, status: int, name: str, secret: Secret | None, wait: float | None
) -> UpstreamFailure:
    words = _SIGNED_TEXT.sub("", words)
    if kind is FailureKind.MODEL_ABSENT and _NEEDS_PROFILE.search(words):
        words += PROFILE_HINT
    return UpstreamFailure(
        kind,
        shown(words, secret),
        status=400 if kind in {FailureKind.CLIENT_FAULT, FailureKind.CONTEXT_LENGTH} else status,
        retry_after_seconds=wait,
        type_=_plain(name) or None,
    )


def _kind(name: str, words: str, status: int = 200) -> FailureKind | None:
    kind = _KINDS.get(_plain(name).removesuffix("Exception").removesuffix("exception").lower())
    if kind is FailureKind.CLIENT_FAULT or (status == 400 and not name):
        if _TOO_LONG.search(words):
            return FailureKind.CONTEXT_LENGTH
        if _NEEDS_PROFILE.search(words) or _NO_MODEL.search(words):
            return FailureKind.MODEL_ABSENT
    if kind is FailureKind.INVALID_CREDENTIAL and _NO_MODEL.search(words):
        return FailureKind.MODEL_ABSENT  # the key is good; its account has no access to this one model
    if kind is FailureKind.RATE_LIMITED and _DAILY.search(words):
        return FailureKind.QUOTA_EXHAUSTED
    return kind


def _plain(name: str) -> str:
    """`ThrottlingException:http://internal…` and `com.amazon.coral#AccessDeniedException` name an exception."""
    return name.partition(":")[0].rpartition("#")[2].strip()


def _refusal(body: bytes) -> _Refusal:
    try:
        return _decode(body)
    except UNDECODABLE:
        return _Refusal()
