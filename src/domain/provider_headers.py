"""Headers that an operator sends to a provider besides the gateway's own: which may be, and which are hidden (S-21)."""

import re
from collections.abc import Mapping
from typing import Final

from domain.errors import RequestInvalid
from domain.secrets import MASK

MOST: Final = 32
MAX_NAME: Final = 128
MAX_VALUE: Final = 4_096

_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""A token of RFC 9110 5.6.2."""

_OWN: Final = frozenset(
    "authorization x-api-key api-key x-goog-api-key cookie host content-length content-type content-encoding "
    "accept-encoding transfer-encoding connection keep-alive te trailer upgrade expect forwarded via "
    "traceparent tracestate".split()
)
_OWN_BEGINNINGS: Final = ("proxy-", "x-amz-", "x-forwarded-")
"""What says who asks, where to and how long: a key, the connection, a signature or the gateway says it."""

_REFERENCES: Final = ("env:", "file:", "vault:")
_SAYS_SECRET: Final = re.compile(
    r"auth|key|token|secret|passw|credential|cookie|session|signature|jwt|bearer", re.IGNORECASE
)
_SCHEME: Final = re.compile(r"(bearer|basic|token|digest|apikey)\s", re.IGNORECASE)
_RANDOM: Final = re.compile(
    r"(?=\w*[0-9])(?=\w*[A-Za-z])[\w+/=]{16,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII
)
_KNOWN: Final = re.compile(r"sk-|pk-|ghp_|xox|AKIA|eyJ|hvs\.|omg-")


def check_headers(headers: Mapping[str, str]) -> None:
    """Raises `RequestInvalid`, which shows no value, for what no request could carry and what is the gateway's own."""
    if len(headers) > MOST:
        raise RequestInvalid(f"There are at most {MOST} headers.", param="settings.headers")
    seen: set[str] = set()
    for name, value in headers.items():
        param = f"settings.headers.{name}"
        lower = name.lower()
        if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
            raise RequestInvalid("A header's name is of letters, digits and '-', such as x-team.", param=param)
        if lower in _OWN or lower.startswith(_OWN_BEGINNINGS):
            raise RequestInvalid(
                f"'{lower}' is the gateway's own: a key is stored as a key of the provider, and host, length and "
                "connection follow from the request.",
                param=param,
            )
        if lower in seen:
            raise RequestInvalid(f"'{lower}' stands there twice: case makes no difference.", param=param)
        seen.add(lower)
        if value.startswith(_REFERENCES):
            raise RequestInvalid(
                "References (env:, file:, vault:) are followed in the settings file alone.", param=param
            )
        if value == MASK:
            raise RequestInvalid("This header's value is not shown: give it again.", param=param)
        plain = all(" " <= character <= "~" for character in value)
        if not plain or value != value.strip() or not 1 <= len(value) <= MAX_VALUE:
            raise RequestInvalid(
                f"A header's value is 1 to {MAX_VALUE} visible ASCII characters, without spaces around.",
                param=param,
            )


def is_hidden(name: str, value: str) -> bool:
    """Whether a header looks like a credential, by its name or by what it says."""
    secret = _SAYS_SECRET.search(name) or _SCHEME.match(value) or _KNOWN.match(value) or _RANDOM.search(value)
    return secret is not None


def shown_headers(headers: Mapping[str, str], hidden: frozenset[str] = frozenset()) -> dict[str, str]:
    """As anyone may read them. `hidden` are further names whose values are not shown."""
    return {name: MASK if name in hidden or is_hidden(name, value) else value for name, value in headers.items()}


def with_hidden_of(headers: Mapping[str, str], stored: Mapping[str, str]) -> dict[str, str]:
    """What is written as it is shown keeps the value that is stored under the same name."""
    known = {name.lower(): value for name, value in stored.items()}
    return {name: known.get(name.lower(), value) if value == MASK else value for name, value in headers.items()}
