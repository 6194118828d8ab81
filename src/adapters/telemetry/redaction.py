"""What may stand in a log line: fields by name, and no text shaped like a credential (S-21, S-22, S-23)."""

import re
from collections.abc import Mapping

from domain.secrets import MASK

ALLOWED_FIELDS = frozenset(
    "timestamp level logger event exception suppressed "
    "request_id decision_id tenant_id key_id endpoint method path status outcome error_code reason message code "
    "provider provider_id kind model requested_model stream attempts attempt number duration_ms latency_ms ttft_ms "
    "input_tokens output_tokens cache_read_tokens reasoning_tokens job seconds count bytes signal version revision "
    "url host port workers transport setting hint database client_left dropped_params waiting streams "
    "error finish_reason records interrupted torn segment at actor_kind actor_id action object_kind object_id "
    "store requests final channel delivery subject threshold issuer".split()
)
"""Every other name is left out of the line, whatever its value: an allow-list cannot forget a secret."""

MAX_TEXT = 2000
"""Characters of one text value; longer ones are cut."""

MAX_TRACEBACK = 8000
"""Characters of a traceback; its end is what tells, so that is kept."""

_SHAPES = re.compile(
    r"""
      \bsk-omg-[A-Za-z0-9]{6,} | \bomg-admin-[A-Za-z0-9]{6,}          # ours
    | \b(?:sk|gsk|csk|dsk|hf|xai|nvapi|fw|tgp|r8|ghp|github_pat|pplx|vck)[-_][A-Za-z0-9_\-]{12,}  # providers'
    | \bAIza[A-Za-z0-9_\-]{20,} | \bya29\.[A-Za-z0-9_\-.]{10,}         # Google
    | \beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*     # JWT
    | (?<=://)[^/\s:@]*:[^/\s@]+(?=@)                                  # user:password in a URL
    | (?i:(?<=bearer\ )|(?<=basic\ ))[^\s"',;]+                        # Authorization
    | (?i:(?<=[?&]key=)|(?<=api_key=)|(?<=api-key:\ )|(?<=token=))[^\s&"']+
    """,
    re.VERBOSE,
)


def mask(text: str) -> str:
    """`text` with everything that looks like a credential replaced, and cut to `MAX_TEXT` characters."""
    masked = _SHAPES.sub(MASK, text)
    return masked if len(masked) <= MAX_TEXT else masked[:MAX_TEXT] + "…"


def allowed(fields: Mapping[str, object]) -> dict[str, object]:
    """The fields a line may show, each of them a number, a truth value, or masked text."""
    return {name: _plain(name, value) for name, value in fields.items() if name in ALLOWED_FIELDS}


def _plain(name: str, value: object) -> object:
    """Objects are shown by their text form, in which a `Secret` is `***`."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if name == "exception":
        return _SHAPES.sub(MASK, str(value))[-MAX_TRACEBACK:]
    return mask(str(value))
