"""How a person comes to be here: with a personal tenant, where the gateway gives those."""

import msgspec

from application.admin.default_models import DEFAULT_MODELS, models_of
from domain.configuration import SETTING, Section
from domain.ports.repositories import UnitOfWork
from domain.ports.runtime import IdFactory
from domain.tenants import Membership, Tenant
from domain.users import User


class Newcomers:
    """Adds people, whoever brings them: an admin, an invite, the first start, an issuer."""

    def __init__(self, ids: IdFactory, *, personal_tenants: bool = True) -> None:
        self._ids = ids
        self._personal_tenants = personal_tenants

    async def add(self, unit: UnitOfWork, user: User) -> User:
        """For a unit in which `Section.PEOPLE` was bumped. Raises `Conflict` where the address is taken."""
        if not self._personal_tenants:
            await unit.users.add(user)
            return user
        await unit.config_versions.bump(Section.TENANTS)  # the defaults of personal tenants are read behind this
        now = user.created_at
        defaults = models_of(await unit.facts.get(SETTING + DEFAULT_MODELS))
        name = user.name or user.email or "Personal"
        tenant = Tenant(self._ids.new("ten"), name, "personal", now, now, allowed_models=defaults)
        await unit.tenants.add(tenant)
        user = msgspec.structs.replace(user, personal_tenant_id=tenant.id)
        await unit.users.add(user)
        await unit.memberships.add(Membership(tenant.id, user.id, "owner", now, now))
        return user
