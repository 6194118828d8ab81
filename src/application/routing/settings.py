"""How `auto` chooses where a request does not say: an admin's setting, in force for the next request."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from domain.configuration import SETTING
from domain.ports.repositories import UnitOfWork
from domain.tasks import Latency, Priority

ROUTING: Final = "routing"
"""The name of the setting."""

Deployment = Annotated[str, Meta(min_length=3, max_length=640, pattern=r"^[^/]+/.+$")]
"""`provider/model`."""

HoldoutShare = Annotated[float, Meta(ge=0, le=0.5)]


class RoutingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`baseline` is what savings are counted against; None is the dearest priced model that could have served.

    `classifier_model` is asked for the task where the words do not say it; None asks nobody. `priority` and `latency`
    hold for requests that name none, and `holdout_share` of the requests go to the baseline, to measure savings by.
    """

    baseline: Deployment | None = None
    classifier_model: Deployment | None = None
    priority: Priority = "balanced"
    latency: Latency = "normal"
    holdout_share: HoldoutShare = 0.0


AS_SHIPPED: Final = RoutingSettings()


class LiveRoutingSettings:
    """The settings in force. Call `reload` when the section changed."""

    def __init__(self) -> None:
        self.current = AS_SHIPPED

    async def reload(self, unit: UnitOfWork) -> None:
        """Raises `StoreUnavailable` and keeps what it knew."""
        self.current = await read_routing_settings(unit)


async def read_routing_settings(unit: UnitOfWork) -> RoutingSettings:
    """What admins set, else as shipped. Raises `StoreUnavailable`."""
    stored = await unit.facts.get(SETTING + ROUTING)
    return AS_SHIPPED if stored is None else msgspec.json.decode(stored, type=RoutingSettings)
