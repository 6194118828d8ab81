"""What people call whom a limit, a budget or an alert is about."""

from domain.authority import EVERYWHERE
from domain.ports.repositories import UnitOfWork
from domain.subject_limits import SubjectKind


async def name_of(unit: UnitOfWork, kind: SubjectKind, subject_id: str) -> str:
    """Its name, or its id where it has none or is gone. Raises `StoreUnavailable`."""
    return await _found(unit, kind, subject_id) or subject_id


async def _found(unit: UnitOfWork, kind: SubjectKind, subject_id: str) -> str | None:
    if kind == "key":
        key = await unit.virtual_keys.get(subject_id, EVERYWHERE)
        return None if key is None else key.name
    if kind == "tenant":
        tenant = await unit.tenants.get(subject_id, EVERYWHERE)
        return None if tenant is None else tenant.name
    if kind in {"user", "member"}:
        user = await unit.users.get(subject_id.rpartition("/")[2])
        return None if user is None else user.name or user.email
    if kind == "provider":
        provider = await unit.providers.get(subject_id)
        return None if provider is None else provider.name
    if kind == "provider_key":
        provider_key = await unit.keys.get(subject_id)
        return None if provider_key is None else provider_key.label
    return None  # a tag, a pattern of models: they are their names
