"""Further admin tokens, for automation: each with scopes, which are the most that it can do."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from domain.actors import ActingRole, Actor
from domain.errors import RequestInvalid
from domain.tenants import Role

OF_TENANT: Final = "tenant:"
"""Before the id of a tenant, in the scope of a token that administers it and nothing else."""

_PLATFORM: Final[dict[str, ActingRole]] = {"all": "admin", "read": "auditor", "usage": "accountant"}
"""Of several the first counts: each holds what those after it do."""

_IN_TENANT: Final[Role] = "admin"


class AdminToken(msgspec.Struct, frozen=True):
    """A token for `/admin`. Its secret is not here: only a keyed digest is stored (P-21)."""

    id: str  # `tok_…`
    name: str
    digest: bytes
    last4: str
    scopes: tuple[str, ...]  # `all`, `read`, `usage`, `tenant:<id>`
    expires_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int = 1


def check_scopes(scopes: Iterable[str]) -> None:
    """Raises `RequestInvalid` for none at all, and for one that there is not."""
    scopes = tuple(scopes)
    if not scopes:
        raise RequestInvalid("A token without a scope could do nothing: give it one.", param="scopes")
    for place, scope in enumerate(scopes):
        if scope not in _PLATFORM and not (scope.startswith(OF_TENANT) and len(scope) > len(OF_TENANT)):
            raise RequestInvalid(
                f"'{scope}' is no scope. There are: {', '.join(_PLATFORM)}, {OF_TENANT}<id>.", param=f"scopes.{place}"
            )


def tenants_in(scopes: Iterable[str]) -> list[str]:
    """The ids of the tenants that scopes name."""
    return [scope.removeprefix(OF_TENANT) for scope in scopes if scope.startswith(OF_TENANT)]


def actor_of_token(token: AdminToken) -> Actor:
    """Who acts with it: with the platform's role of its widest scope, and as an admin of each tenant that it names."""
    role: ActingRole = next((role for scope, role in _PLATFORM.items() if scope in token.scopes), "none")
    roles = dict.fromkeys(tenants_in(token.scopes), _IN_TENANT)
    return Actor("admin_token", token.id, token.name or token.id, platform_role=role, roles=roles)
