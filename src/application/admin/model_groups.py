"""Model groups: patterns of models under a name, which the lists of keys and tenants can hold as `@name`."""

from typing import Annotated

import msgspec
from msgspec import Meta

from application.admin.allowances import ModelPatterns
from application.admin.config_write import Change, config_write
from application.admission.access import GROUP_NAME, check_patterns
from application.admission.authentication import Authenticator
from application.snapshot import GatewayState
from domain.actors import Actor
from domain.authority import Right, require
from domain.errors import Conflict, NotFound, RequestInvalid
from domain.grants import is_group
from domain.model_groups import ModelGroup
from domain.ports.repositories import Store
from domain.ports.runtime import Clock


class NewModelGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model group to create. Its patterns name models, not other groups."""

    name: Annotated[str, Meta(min_length=1, max_length=63)]
    patterns: ModelPatterns


class ModelGroupChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All patterns of the group, anew."""

    patterns: ModelPatterns


class ModelGroupAdmin:
    """Creates, lists, changes and deletes model groups; in force for the next request of whoever has one in a list.

    A list that names a group which is gone allows nothing by it, and where the list took it away, nothing at all.
    """

    def __init__(self, store: Store, state: GatewayState, authenticator: Authenticator, clock: Clock) -> None:
        self._store = store
        self._state = state
        self._authenticator = authenticator
        self._clock = clock

    async def list_all(self) -> tuple[ModelGroup, ...]:
        """By name."""
        async with self._store.read() as unit:
            return tuple(await unit.model_groups.list_all())

    async def get(self, name: str) -> ModelGroup:
        """Raises `NotFound`."""
        async with self._store.read() as unit:
            found = await unit.model_groups.get(name)
        if found is None:
            raise _no_such_group(name)
        return found

    async def create(self, actor: Actor, new: NewModelGroup) -> ModelGroup:
        """Raises `PermissionDenied`, `RequestInvalid`, and `Conflict` where the name is taken."""
        require(actor, Right.PLATFORM_WRITE, "")
        if not GROUP_NAME.fullmatch(new.name):
            raise RequestInvalid("A model group's name is of a-z, 0-9, `.`, `-` and `_`.", param="name")
        _check(new.patterns)
        now = self._clock.now()
        group = ModelGroup(new.name, new.patterns, now, now)
        async with config_write(self._store, self._state, actor, Change("create", "model_group", new.name)) as unit:
            if await unit.model_groups.get(new.name) is not None:
                raise Conflict(f"A model group '{new.name}' exists already.", param="name")
            await unit.model_groups.put(group)
        self._authenticator.forget_all()
        return group

    async def update(self, actor: Actor, name: str, change: ModelGroupChange) -> ModelGroup:
        """Raises `NotFound`, `PermissionDenied`, `RequestInvalid`."""
        require(actor, Right.PLATFORM_WRITE, "")
        _check(change.patterns)
        async with config_write(self._store, self._state, actor, Change("update", "model_group", name)) as unit:
            group = await unit.model_groups.get(name)
            if group is None:
                raise _no_such_group(name)
            changed = msgspec.structs.replace(group, patterns=change.patterns, updated_at=self._clock.now())
            await unit.model_groups.put(changed)
        self._authenticator.forget_all()
        return changed

    async def delete(self, actor: Actor, name: str) -> None:
        """Raises `NotFound`, `PermissionDenied`."""
        require(actor, Right.PLATFORM_WRITE, "")
        async with config_write(self._store, self._state, actor, Change("delete", "model_group", name)) as unit:
            if not await unit.model_groups.delete(name):
                raise _no_such_group(name)
        self._authenticator.forget_all()


def _check(patterns: ModelPatterns) -> None:
    check_patterns(patterns, "patterns")
    for place, entry in enumerate(patterns):
        if is_group(entry.removeprefix("!")):
            raise RequestInvalid("A model group cannot hold another one.", param=f"patterns.{place}")


def _no_such_group(name: str) -> NotFound:
    return NotFound(f"There is no model group '{name}'. GET /admin/model-groups lists them.")
