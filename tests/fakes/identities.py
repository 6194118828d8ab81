"""Accounts at identity providers in memory."""

from collections.abc import Sequence
from typing import Protocol

from typing_extensions import override

from domain.errors import NotFound
from domain.issuers import Identity
from domain.ports.issuers import IdentityRepository
from domain.users import User


class IdentityRows(Protocol):
    """The part of the store's rows that these need."""

    identities: dict[tuple[str, str], Identity]
    users: dict[str, User]


class MemoryIdentities(IdentityRepository):
    def __init__(self, rows: IdentityRows) -> None:
        self._rows = rows

    @override
    async def get(self, issuer: str, subject: str) -> Identity | None:
        return self._rows.identities.get((issuer, subject))

    @override
    async def list_of(self, user_id: str) -> Sequence[Identity]:
        own = [one for one in self._rows.identities.values() if one.user_id == user_id]
        return sorted(own, key=lambda one: (one.issuer, one.subject))

    @override
    async def put(self, identity: Identity) -> None:
        if identity.user_id not in self._rows.users:
            raise NotFound(f"There is no user '{identity.user_id}'.")
        self._rows.identities[identity.issuer, identity.subject] = identity
