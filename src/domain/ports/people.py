"""Stored tenants and people. What is outside of `reach` is not found, as if it were not there."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from domain.authority import Reach
from domain.model_groups import ModelGroup
from domain.tenants import Membership, Tenant
from domain.users import User


class TenantRepository(Protocol):
    """Tenants."""

    async def get(self, tenant_id: str, reach: Reach) -> Tenant | None: ...

    async def list_page(
        self, reach: Reach, limit: int, after: str | None, query: str | None = None
    ) -> Sequence[Tenant]:
        """Newest first, up to `limit` whose id sorts before `after`, with `query` in id, name or external id."""
        ...

    async def list_personal(self) -> Sequence[Tenant]:
        """Every personal one, by id."""
        ...

    async def add(self, tenant: Tenant) -> None:
        """Raises `Conflict` where the id is taken."""
        ...

    async def update(self, tenant: Tenant) -> None:
        """Replaces the row of the same id. Raises `NotFound`."""
        ...

    async def delete(self, tenant_id: str) -> bool:
        """With its keys and memberships. False where there was none."""
        ...


class UserRepository(Protocol):
    """People."""

    async def get(self, user_id: str) -> User | None: ...

    async def find(self, email: str) -> User | None:
        """By address, in lower case."""
        ...

    async def list_page(self, limit: int, after: str | None, query: str | None = None) -> Sequence[User]:
        """Newest first, with `query` in id, name or address.

        `after` is the id of the last one of the page before. One that is gone ends the list.
        """
        ...

    async def add(self, user: User) -> None:
        """Raises `Conflict` where the id or the address is taken."""
        ...

    async def update(self, user: User) -> None:
        """Replaces the row of the same id. Raises `NotFound`, and like `add`."""
        ...

    async def seen(self, user_id: str, at: datetime) -> None:
        """Notes when a user was last there; never back in time, and nothing for one that is gone."""
        ...

    async def delete(self, user_id: str) -> bool:
        """With memberships and personal keys. False where there was none."""
        ...


class MembershipRepository(Protocol):
    """Who is in which tenant."""

    async def get(self, tenant_id: str, user_id: str, reach: Reach) -> Membership | None: ...

    async def list_of_tenant(
        self, tenant_id: str, reach: Reach, limit: int, after: str | None
    ) -> Sequence[tuple[Membership, User]]:
        """By the user's id, from behind `after`."""
        ...

    async def list_of_user(self, user_id: str) -> Sequence[Membership]:
        """By the tenant's id."""
        ...

    async def add(self, membership: Membership) -> None:
        """Raises `Conflict` where the user is in it already, `NotFound` where tenant or user are not there."""
        ...

    async def update(self, membership: Membership) -> None:
        """Role, limits, budgets and who manages it. Raises `NotFound`."""
        ...

    async def delete(self, tenant_id: str, user_id: str) -> bool: ...


class ModelGroupRepository(Protocol):
    """Model groups, by name."""

    async def patterns(self, names: Collection[str]) -> Mapping[str, Sequence[str]]:
        """Those of the groups that are there. Asks nothing where no name is given."""
        ...

    async def get(self, name: str) -> ModelGroup | None: ...

    async def list_all(self) -> Sequence[ModelGroup]:
        """By name."""
        ...

    async def put(self, group: ModelGroup) -> None:
        """Insert, or replace the one of this name."""
        ...

    async def delete(self, name: str) -> bool: ...
