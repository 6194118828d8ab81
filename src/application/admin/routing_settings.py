"""How `auto` chooses, changed while the gateway runs."""

import msgspec
from msgspec import UNSET, UnsetType

from application.admin.config_write import Change, config_write, no_such_provider
from application.routing.settings import (
    AS_SHIPPED,
    ROUTING,
    Deployment,
    HoldoutShare,
    RoutingSettings,
    read_routing_settings,
)
from application.snapshot import GatewayState
from domain.actors import Actor
from domain.authority import Right, require
from domain.configuration import SETTING
from domain.errors import RequestInvalid
from domain.ports.repositories import Store
from domain.tasks import Latency, Priority


class RoutingSettingsChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is absent stays; null goes back to what it is as shipped."""

    baseline: Deployment | UnsetType | None = UNSET
    classifier_model: Deployment | UnsetType | None = UNSET
    priority: Priority | UnsetType | None = UNSET
    latency: Latency | UnsetType | None = UNSET
    holdout_share: HoldoutShare | UnsetType | None = UNSET


class RoutingSettingsAdmin:
    """A change holds for the next request here, and within a second in other processes."""

    def __init__(self, store: Store, state: GatewayState) -> None:
        self._store = store
        self._state = state

    async def get(self) -> RoutingSettings:
        """As they are in force."""
        async with self._store.read() as unit:
            return await read_routing_settings(unit)

    async def update(self, actor: Actor, change: RoutingSettingsChange) -> RoutingSettings:
        """Raises `PermissionDenied`, and `RequestInvalid` for a model of a provider that is not there."""
        require(actor, Right.PLATFORM_WRITE, "")
        for name in ("baseline", "classifier_model"):
            self._check(getattr(change, name), name)
        async with config_write(self._store, self._state, actor, Change("set", "setting", ROUTING)) as unit:
            stored = msgspec.structs.replace(await read_routing_settings(unit), **_sent(change))
            await unit.facts.put(SETTING + ROUTING, msgspec.json.encode(stored).decode())
        return stored

    def _check(self, deployment: str | UnsetType | None, field: str) -> None:
        if isinstance(deployment, str):
            provider_id = deployment.partition("/")[0]
            if provider_id not in self._state.current.by_id:
                raise RequestInvalid(no_such_provider(provider_id).message, param=field)


def _sent(change: RoutingSettingsChange) -> dict[str, object]:
    found = {name: getattr(change, name) for name in change.__struct_fields__}
    return {
        name: getattr(AS_SHIPPED, name) if value is None else value
        for name, value in found.items()
        if value is not UNSET
    }
