"""A route as an operator writes it, by API, command line or file, and what must hold of it."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.budget_periods import zone_of
from domain.errors import RequestInvalid
from domain.providers import Owner
from domain.routes import (
    ALIAS,
    MAX_TARGETS,
    FallbackCause,
    Require,
    Route,
    RoutePolicy,
    Strategy,
    Target,
    When,
    spans_of,
)
from domain.routing import AUTO_MODEL

Targets = Annotated[tuple[Target, ...], Meta(min_length=1, max_length=MAX_TARGETS)]


class NewRoute(RoutePolicy, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A route to create, or in the settings file: its alias, and what it does."""

    alias: Annotated[str, Meta(min_length=1, max_length=128)]


class RouteChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fields to change; those left out stay. `targets` are all of them, anew."""

    strategy: Strategy | UnsetType = UNSET
    targets: Targets | UnsetType = UNSET
    fallback_on: tuple[FallbackCause, ...] | UnsetType | None = UNSET
    require: Require | UnsetType | None = UNSET
    affinity: bool | UnsetType = UNSET
    baseline: Annotated[str, Meta(min_length=3, max_length=640)] | UnsetType | None = UNSET
    holdout_share: Annotated[float, Meta(ge=0, le=1)] | UnsetType = UNSET


def changed(policy: RoutePolicy, change: RouteChange) -> RoutePolicy:
    """The policy with the fields of `change` that were given."""
    given = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
    return msgspec.structs.replace(policy, **given)


def route_of(new: NewRoute, owner: Owner, now: datetime) -> Route:
    """The route in its first version. Raises `RequestInvalid`."""
    if not ALIAS.fullmatch(new.alias) or new.alias.partition(":")[0] == AUTO_MODEL:
        raise RequestInvalid(
            f"'{new.alias}' can be no alias: write up to 128 of letters, digits and `._:@-`, and not `{AUTO_MODEL}`.",
            param="alias",
        )
    fields = {name: getattr(new, name) for name in RoutePolicy.__struct_fields__}
    return Route(new.alias, RoutePolicy(**fields), owner, 1, now, now)


def check_policy(policy: RoutePolicy, providers: Collection[str] | None) -> None:
    """Raises `RequestInvalid` for what could never be served. `providers` are the ids there are, None: not asked."""
    for place, target in enumerate(policy.targets):
        where = f"targets.{place}"
        if target.mock is not None and target.provider:
            raise RequestInvalid("A mock has no provider: leave it out.", param=f"{where}.provider")
        if providers is not None and target.provider and target.provider not in providers:
            raise RequestInvalid(
                f"There is no provider '{target.provider}'. GET /admin/providers lists them.",
                param=f"{where}.provider",
            )
        if target.when is not None:
            _check_when(target.when, f"{where}.when")
    if not any(target.weight for target in policy.targets):
        raise RequestInvalid("At least one target needs a weight above 0.", param="targets.0.weight")
    if policy.baseline is not None and not all(policy.baseline.partition("/")):
        raise RequestInvalid("A baseline is `provider/model`.", param="baseline")


def _check_when(when: When, where: str) -> None:
    least, most = when.min_input_tokens, when.max_input_tokens
    if least is not None and most is not None and least > most:
        raise RequestInvalid(
            "No prompt has so many tokens and so few: min_input_tokens is above max_input_tokens.",
            param=f"{where}.max_input_tokens",
        )
    try:
        zone_of(when.timezone)
    except RequestInvalid as error:
        raise RequestInvalid(error.message, param=f"{where}.timezone") from None
    try:
        tuple(spans_of(when.hours or ()))
    except ValueError as error:
        raise RequestInvalid(str(error), param=f"{where}.hours") from None


def declared_routes(declared: Iterable[NewRoute], now: datetime) -> tuple[Route, ...]:
    """Those of the settings file. Raises `RequestInvalid`, its `param` beginning with `routes.<alias>`."""
    found: dict[str, Route] = {}
    for new in declared:
        if new.alias in found:
            raise RequestInvalid("It is declared twice.", param=f"routes.{new.alias}")
        try:
            route = route_of(new, "file", now)
            check_policy(route.policy, None)
        except RequestInvalid as error:
            raise RequestInvalid(error.message, param=f"routes.{new.alias}.{error.param}") from None
        found[route.alias] = route
    return tuple(found.values())
