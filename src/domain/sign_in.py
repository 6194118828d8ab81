"""How people sign in: sessions, one-time tokens, and what a password must be."""

import secrets
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from domain.errors import RequestInvalid

SignInMethod = Literal["password", "link", "invite", "oidc"]
TokenPurpose = Literal["link", "invite"]

LINK_LIFE: Final = timedelta(minutes=15)
INVITE_LIFE: Final = timedelta(days=7)
CONFIRMED_FOR: Final = timedelta(hours=12)
"""How long after a sign-in or a confirmation a session may write under `/admin`."""

MIN_PASSWORD: Final = 12
MAX_PASSWORD_BYTES: Final = 1024


class Session(msgspec.Struct, frozen=True):
    """A browser that is signed in. Its secret is in the browser's cookie alone: here is a keyed digest of it.

    It ends at `ends_at`, or where it is not used for long, or when it is taken away: nothing of it is in the cookie.
    One of somebody who signed in at an issuer says who they are there, and may have its refresh token, sealed.
    """

    id: str  # `ses_…`
    user_id: str
    digest: bytes
    method: SignInMethod
    created_at: datetime
    last_seen_at: datetime
    confirmed_at: datetime
    ends_at: datetime
    address: str
    user_agent: str
    issuer: str = ""
    subject: str = ""
    refresh_token: str = ""


class OneTimeToken(msgspec.Struct, frozen=True):
    """A link that signs its holder in once as a user: `link`, or `invite`, by which a password is set too."""

    digest: bytes
    purpose: TokenPurpose
    user_id: str
    created_at: datetime
    ends_at: datetime


class Preferences(msgspec.Struct, frozen=True):
    """How a person wants to see things. Empty is what the browser has."""

    timezone: str = ""
    locale: str = ""
    theme: Literal["", "light", "dark"] = ""


def new_secret() -> str:
    """256 random bits as 64 hex digits: what a cookie or a one-time link holds."""
    return secrets.token_hex(32)


def is_secret(text: str) -> bool:
    """Whether this could be one of ours; nothing else is ever looked up (F2)."""
    return len(text) == 64 and all(digit in "0123456789abcdef" for digit in text)


def check_password(password: str, *names: str | None) -> None:
    """Raises `RequestInvalid` for a password that is too short, too long, or the name of the account."""
    if len(password) < MIN_PASSWORD:
        raise RequestInvalid(f"A password has at least {MIN_PASSWORD} characters.", param="password")
    if len(password.encode("utf-8", "surrogatepass")) > MAX_PASSWORD_BYTES:
        raise RequestInvalid(f"A password has at most {MAX_PASSWORD_BYTES} bytes.", param="password")
    if len(set(password)) < 4 or password.lower() in {name.lower() for name in names if name}:
        raise RequestInvalid("This password is too easy to guess.", param="password")
