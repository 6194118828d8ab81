"""The models of personal tenants: one setting, and the same list in each of them."""

import msgspec

from application.admin.allowances import ModelPatterns, check_groups
from application.admin.config_write import Change, config_write
from application.admission.access import check_patterns
from application.admission.authentication import Authenticator
from application.snapshot import GatewayState
from domain.actors import Actor
from domain.authority import Right, require
from domain.configuration import SETTING
from domain.ports.repositories import Store
from domain.ports.runtime import Clock

DEFAULT_MODELS = "default-models"


class DefaultModels(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`allowed_models` of every personal tenant: null allows all, an empty list nothing."""

    models: ModelPatterns | None


class DefaultModelsAdmin:
    """Each change writes the list into every personal tenant again, also where somebody had changed it there."""

    def __init__(self, store: Store, state: GatewayState, authenticator: Authenticator, clock: Clock) -> None:
        self._store = store
        self._state = state
        self._authenticator = authenticator
        self._clock = clock

    async def get(self) -> DefaultModels:
        """As they were set last; at first all."""
        async with self._store.read() as unit:
            stored = await unit.facts.get(SETTING + DEFAULT_MODELS)
        return DefaultModels(models=models_of(stored))

    async def update(self, actor: Actor, change: DefaultModels) -> DefaultModels:
        """Raises `PermissionDenied`, and `RequestInvalid` for what is no pattern."""
        require(actor, Right.PLATFORM_WRITE, "")
        check_patterns(change.models, "models")
        now = self._clock.now()
        async with config_write(self._store, self._state, actor, Change("set", "setting", DEFAULT_MODELS)) as unit:
            await check_groups(unit, change.models, "models")
            await unit.facts.put(SETTING + DEFAULT_MODELS, msgspec.json.encode(change.models).decode())
            for tenant in await unit.tenants.list_personal():
                await unit.tenants.update(
                    msgspec.structs.replace(
                        tenant, allowed_models=change.models, updated_at=now, version=tenant.version + 1
                    )
                )
        self._authenticator.forget_all()
        return change


def models_of(stored: str | None) -> ModelPatterns | None:
    """The list as the fact has it."""
    return None if stored is None else msgspec.json.decode(stored, type=tuple[str, ...] | None)
