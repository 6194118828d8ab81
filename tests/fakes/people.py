"""Tenants and people in memory, as the repositories over a database keep them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec
from typing_extensions import override

from domain.authority import Reach
from domain.errors import Conflict, NotFound
from domain.issuers import Identity
from domain.keys import VirtualKey
from domain.model_groups import ModelGroup
from domain.ports.people import MembershipRepository, ModelGroupRepository, TenantRepository, UserRepository
from domain.sign_in import OneTimeToken, Preferences, Session
from domain.tenants import Membership, Tenant
from domain.users import User
from tests.fakes.searching import mentioned


class PeopleRows(Protocol):
    """The part of the store's rows that these need."""

    tenants: dict[str, Tenant]
    users: dict[str, User]
    memberships: dict[tuple[str, str], Membership]
    virtual_keys: dict[str, VirtualKey]
    sessions: dict[str, Session]
    one_time_tokens: dict[bytes, OneTimeToken]
    passwords: dict[str, str]
    preferences: dict[str, Preferences]
    identities: dict[tuple[str, str], Identity]
    model_groups: dict[str, ModelGroup]


class MemoryTenants(TenantRepository):
    def __init__(self, rows: PeopleRows) -> None:
        self._rows = rows

    @override
    async def get(self, tenant_id: str, reach: Reach) -> Tenant | None:
        return self._rows.tenants.get(tenant_id) if reach.covers(tenant_id) else None

    @override
    async def list_page(
        self, reach: Reach, limit: int, after: str | None, query: str | None = None
    ) -> Sequence[Tenant]:
        found = [t for t in self._rows.tenants.values() if mentioned(query, t.id, t.name, t.external_id)]
        newest_first = sorted(found, key=lambda tenant: tenant.id, reverse=True)
        return [t for t in newest_first if reach.covers(t.id) and (after is None or t.id < after)][:limit]

    @override
    async def list_personal(self) -> Sequence[Tenant]:
        return sorted((t for t in self._rows.tenants.values() if t.kind == "personal"), key=lambda tenant: tenant.id)

    @override
    async def add(self, tenant: Tenant) -> None:
        if tenant.id in self._rows.tenants:
            raise Conflict(f"A tenant '{tenant.id}' exists already.", param="id")
        self._rows.tenants[tenant.id] = tenant

    @override
    async def update(self, tenant: Tenant) -> None:
        if tenant.id not in self._rows.tenants:
            raise NotFound(f"There is no tenant '{tenant.id}'.")
        self._rows.tenants[tenant.id] = tenant

    @override
    async def delete(self, tenant_id: str) -> bool:
        for key in [key for key in self._rows.virtual_keys.values() if key.tenant_id == tenant_id]:
            del self._rows.virtual_keys[key.id]
        for place in [place for place in self._rows.memberships if place[0] == tenant_id]:
            del self._rows.memberships[place]
        return self._rows.tenants.pop(tenant_id, None) is not None


class MemoryUsers(UserRepository):
    def __init__(self, rows: PeopleRows) -> None:
        self._rows = rows

    @override
    async def get(self, user_id: str) -> User | None:
        return self._rows.users.get(user_id)

    @override
    async def find(self, email: str) -> User | None:
        return next((user for user in self._rows.users.values() if user.email == email), None)

    @override
    async def list_page(self, limit: int, after: str | None, query: str | None = None) -> Sequence[User]:
        found = [user for user in self._rows.users.values() if mentioned(query, user.id, user.name, user.email)]
        newest_first = sorted(found, key=lambda user: (user.created_at, user.id), reverse=True)
        if after is None:
            return newest_first[:limit]
        last = self._rows.users.get(after)
        if last is None:
            return []
        older = [user for user in newest_first if (user.created_at, user.id) < (last.created_at, last.id)]
        return older[:limit]

    @override
    async def add(self, user: User) -> None:
        if user.id in self._rows.users:
            raise Conflict(f"A user '{user.id}' exists already.", param="id")
        self._put(user)

    @override
    async def update(self, user: User) -> None:
        if user.id not in self._rows.users:
            raise NotFound(f"There is no user '{user.id}'.")
        self._put(user)

    @override
    async def seen(self, user_id: str, at: datetime) -> None:
        user = self._rows.users.get(user_id)
        if user is not None and (user.last_seen_at is None or user.last_seen_at < at):
            self._rows.users[user_id] = msgspec.structs.replace(user, last_seen_at=at)

    @override
    async def delete(self, user_id: str) -> bool:
        for key in [key for key in self._rows.virtual_keys.values() if key.owner_id == user_id]:
            del self._rows.virtual_keys[key.id]
        for place in [place for place in self._rows.memberships if place[1] == user_id]:
            del self._rows.memberships[place]
        for session in [session for session in self._rows.sessions.values() if session.user_id == user_id]:
            del self._rows.sessions[session.id]
        for token in [token for token in self._rows.one_time_tokens.values() if token.user_id == user_id]:
            del self._rows.one_time_tokens[token.digest]
        for place in [place for place, one in self._rows.identities.items() if one.user_id == user_id]:
            del self._rows.identities[place]
        self._rows.passwords.pop(user_id, None)
        self._rows.preferences.pop(user_id, None)
        return self._rows.users.pop(user_id, None) is not None

    def _put(self, user: User) -> None:
        others = (other for other in self._rows.users.values() if other.id != user.id)
        if user.email is not None and any(other.email == user.email for other in others):
            raise Conflict(f"Another user has the address '{user.email}'.", param="email")
        self._rows.users[user.id] = user


class MemoryMemberships(MembershipRepository):
    def __init__(self, rows: PeopleRows) -> None:
        self._rows = rows

    @override
    async def get(self, tenant_id: str, user_id: str, reach: Reach) -> Membership | None:
        return self._rows.memberships.get((tenant_id, user_id)) if reach.covers(tenant_id, user_id) else None

    @override
    async def list_of_tenant(
        self, tenant_id: str, reach: Reach, limit: int, after: str | None
    ) -> Sequence[tuple[Membership, User]]:
        found = [
            (membership, self._rows.users[user_id])
            for (tenant, user_id), membership in sorted(self._rows.memberships.items())
            if tenant == tenant_id and user_id > (after or "") and reach.covers(tenant, user_id)
        ]
        return found[:limit]

    @override
    async def list_of_user(self, user_id: str) -> Sequence[Membership]:
        return [m for place, m in sorted(self._rows.memberships.items()) if place[1] == user_id]

    @override
    async def add(self, membership: Membership) -> None:
        place = (membership.tenant_id, membership.user_id)
        if membership.tenant_id not in self._rows.tenants or membership.user_id not in self._rows.users:
            raise NotFound("There is no such tenant, or no such user.")
        if place in self._rows.memberships:
            raise Conflict("This user is a member already.", param="user_id")
        self._rows.memberships[place] = membership

    @override
    async def update(self, membership: Membership) -> None:
        place = (membership.tenant_id, membership.user_id)
        if place not in self._rows.memberships:
            raise NotFound(f"There is no member '{membership.user_id}'.")
        self._rows.memberships[place] = membership

    @override
    async def delete(self, tenant_id: str, user_id: str) -> bool:
        return self._rows.memberships.pop((tenant_id, user_id), None) is not None


class MemoryModelGroups(ModelGroupRepository):
    def __init__(self, rows: PeopleRows) -> None:
        self._rows = rows

    @override
    async def patterns(self, names: Collection[str]) -> Mapping[str, Sequence[str]]:
        return {name: group.patterns for name, group in self._rows.model_groups.items() if name in names}

    @override
    async def get(self, name: str) -> ModelGroup | None:
        return self._rows.model_groups.get(name)

    @override
    async def list_all(self) -> Sequence[ModelGroup]:
        return sorted(self._rows.model_groups.values(), key=lambda group: group.name)

    @override
    async def put(self, group: ModelGroup) -> None:
        self._rows.model_groups[group.name] = group

    @override
    async def delete(self, name: str) -> bool:
        return self._rows.model_groups.pop(name, None) is not None
