"""Who uses the chat app, and as whom their requests go through the pipeline."""

import msgspec

from application.admission.rights import person_in_tenant
from domain.authority import EVERYWHERE, denied
from domain.errors import RequestInvalid
from domain.grants import groups_in
from domain.keys import Principal
from domain.ports.repositories import Store


class Person(msgspec.Struct, frozen=True):
    """A person who is signed in. `tenant_id` is the tenant that pays for what they ask; empty: they have to say."""

    user_id: str
    tenant_id: str

    def paying_in(self, tenant_id: str | None) -> "Person":
        """The same, where they say which tenant pays."""
        return self if tenant_id is None else msgspec.structs.replace(self, tenant_id=tenant_id)


class Callers:
    """Finds as whom a person asks: with what the tenant allows, and the limits of member, user and tenant.

    All of it is read for each question: what somebody has lost holds for their next one.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def principal(self, person: Person) -> Principal:
        """No key, and the tenant's rights.

        Raises `RequestInvalid` where the tenant is not said, `PermissionDenied` for one in which they may not spend,
        whether it is there or not, and for one that is suspended.
        """
        if not person.tenant_id:
            raise RequestInvalid("Say which tenant pays for this: 'tenant_id'.", param="tenant_id")
        async with self._store.read() as unit:
            user = await unit.users.get(person.user_id)
            tenant = await unit.tenants.get(person.tenant_id, EVERYWHERE)
            membership = await unit.memberships.get(person.tenant_id, person.user_id, EVERYWHERE)
            if user is None or tenant is None or membership is None or membership.role == "viewer":
                raise denied("You may not ask models in this tenant.")
            groups = await unit.model_groups.patterns(groups_in(tenant.allowed_models))
        return person_in_tenant(user, membership, tenant, groups)
