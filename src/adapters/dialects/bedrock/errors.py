"""What Bedrock's refusals mean: the exception's name says more than its status.

Source: botocore 1.44.5 service model; errors as seen with its client (read 2026-11). The name stands in the header
`x-amzn-ErrorType`, before a colon; the body has `message` or `Message`. A spent quota is a 400, a cold model a 429.
"""

import re
from typing import Final

import msgspec

from adapters.wire.errors import Refusals, failure_from_answer, failure_in_body, shown
from adapters.wire.rate_limits import RawHeaders
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.sift import feature_refused
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
_STATUSES: Final[dict[FailureKind, int]] = {
    FailureKind.INVALID_CREDENTIAL: 403,
    FailureKind.SERVER_ERROR: 500,
    FailureKind.OVERLOADED: 503,
    FailureKind.MODEL_ABSENT: 404,
    FailureKind.QUOTA_EXHAUSTED: 429,
    FailureKind.RATE_LIMITED: 429,
    FailureKind.CLIENT_FAULT: 400,
}
"""The status each would have elsewhere: Bedrock's own are misleading."""

_NEEDS_PROFILE: Final = re.compile(r"on-demand throughput isn.t supported", re.IGNORECASE)
_OF_WORDS: Final = frozenset({FailureKind.CLIENT_FAULT, FailureKind.INVALID_CREDENTIAL, FailureKind.MODEL_ABSENT})
"""What an exception of these kinds means its words say more exactly."""

_LACKS: Final = re.compile(
    r"(?:doesn.t|does not) support (?:the )?(tool|system|image|document|video|audio|stopSequences|top|temperature)",
    re.IGNORECASE,
)
_LACKED_PARAMS: Final = {"tool": "tools", "stopsequences": "stop", "temperature": "temperature", "top": "top_p"}
REFUSALS: Final = Refusals(quota_resets="day", limits_by_model=True)
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
    kind = _kind(named or refusal.type_)
    status = _STATUSES.get(kind, status) if kind is not None else status
    general = failure_from_answer(status, headers, body, REFUSALS, secret=secret, now=now)
    return _sharpened(general, kind, named or refusal.type_, refusal.words, secret)


def failure_in_event(name: str, payload: bytes, message: str, *, secret: Secret | None, now: float) -> UpstreamFailure:
    """What an exception in the midst of a stream means."""
    words = _refusal(payload).words or message
    kind = _kind(name)
    if kind is None:
        return failure_in_body(payload, REFUSALS, secret=secret, now=now)
    general = failure_from_answer(_STATUSES[kind], (), payload, REFUSALS, secret=secret, now=now)
    failure = _sharpened(general, kind, name, words or f"The provider broke off with {name}.", secret)
    if failure.kind not in {FailureKind.CLIENT_FAULT, FailureKind.CONTEXT_LENGTH}:
        failure.status = 200
    return failure


def _sharpened(
    general: UpstreamFailure, kind: FailureKind | None, name: str, words: str, secret: Secret | None
) -> UpstreamFailure:
    """The exception's name and its words together; where both say the same kind, the words know the scope."""
    if kind is None:
        return general
    if kind in _OF_WORDS or general.kind is FailureKind.QUOTA_EXHAUSTED:
        kind = general.kind
    lacks = _LACKS.search(words) if kind in {FailureKind.CLIENT_FAULT, FailureKind.FEATURE_REFUSED} else None
    if lacks is not None:
        return feature_refused(_LACKED_PARAMS.get(lacks[1].lower(), "messages"), words)
    message = _SIGNED_TEXT.sub("", words or general.message)
    if kind is FailureKind.MODEL_ABSENT and _NEEDS_PROFILE.search(words):
        message += PROFILE_HINT
    at_fault = kind in {FailureKind.CLIENT_FAULT, FailureKind.CONTEXT_LENGTH, FailureKind.FEATURE_REFUSED}
    return UpstreamFailure(
        kind,
        shown(message, secret),
        status=400 if at_fault else general.status,
        retry_after_seconds=general.retry_after_seconds,
        type_=_plain(name) or None,
        scope=general.scope if general.kind is kind else None,
    )


def _kind(name: str) -> FailureKind | None:
    return _KINDS.get(_plain(name).removesuffix("Exception").removesuffix("exception").lower())


def _plain(name: str) -> str:
    """`ThrottlingException:http://internal…` and `com.amazon.coral#AccessDeniedException` name an exception."""
    return name.partition(":")[0].rpartition("#")[2].strip()


def _refusal(body: bytes) -> _Refusal:
    try:
        return _decode(body)
    except UNDECODABLE:
        return _Refusal()
