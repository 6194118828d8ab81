"""People who sign in."""

import secrets
from datetime import datetime
from typing import Literal

import msgspec

from domain.limits import Budget, RateLimits

PlatformRole = Literal["admin", "auditor", "none"]
UserStatus = Literal["invited", "active", "disabled"]


class User(msgspec.Struct, frozen=True):
    """A person. `email` is in lower case, and nobody else's; the first user has none until they set it."""

    id: str  # `usr_…`
    email: str | None
    name: str
    created_at: datetime
    updated_at: datetime
    platform_role: PlatformRole = "none"
    status: UserStatus = "active"
    personal_tenant_id: str | None = None
    last_seen_at: datetime | None = None
    limits: RateLimits = RateLimits()
    budgets: tuple[Budget, ...] = ()
    version: int = 1


def new_user_id() -> str:
    """At random, and not by time as other ids: whoever adds a member learns the id, and not how long it has existed."""
    return f"usr_{secrets.token_hex(16)}"
