"""What counts, or tells how things stand, is no configuration: no document and no settings file can write it.

The fields are those of the entities and of what is told beside them, so that a new one is held to this by itself.
"""

import copy
from typing import Any

import msgspec
import pytest

from application.admin.alerts import NewAlertChannel, NewAlertRule
from application.admin.members import NewMember
from application.admin.model_groups import NewModelGroup
from application.admin.prices import ModelChange, NewPrice
from application.admin.subject_rules import NewLimits
from application.admin.tenants import NewTenant
from application.admin.users import NewUser
from application.admin.virtual_keys import NewVirtualKey
from application.configuration.new_providers import DeclaredKey, DeclaredProvider, NewProvider
from application.configuration.routes import NewRoute
from application.desired_state.state import DesiredState
from application.desired_state.table import KINDS
from application.desired_state.upstreams import ProviderKeyEntry
from domain.alerts import AlertChannel, AlertRule
from domain.keys import ProviderKey, VirtualKey
from domain.limits import Budget
from domain.model_facts import StoredModelFacts
from domain.model_groups import ModelGroup
from domain.ports.budgets import Standing
from domain.prices import PriceRow
from domain.providers import Provider
from domain.quotas import QuotaStanding
from domain.routes import Route, RoutePolicy
from domain.subject_limits import StoredRule
from domain.tenants import Membership, Tenant
from domain.users import User
from entrypoints.http.admin.provider_keys import NewProviderKey
from tests.unit.application.desired_state.test_state import DOCUMENT

Struct = type[msgspec.Struct]


def names(type_: Struct) -> set[str]:
    return {field.name for field in msgspec.structs.fields(type_)}


STATE: dict[str, tuple[Struct, ...]] = {
    "providers": (Provider,),
    "provider_keys": (ProviderKey, QuotaStanding),
    "models": (StoredModelFacts, PriceRow),
    "model_groups": (ModelGroup,),
    "routes": (Route,),
    "tenants": (Tenant, Standing),
    "users": (User, Standing),
    "members": (Membership, Standing),
    "keys": (VirtualKey, Standing),
    "limits": (StoredRule,),
    "budgets": (StoredRule, Standing),
    "alert_channels": (AlertChannel,),
    "alert_rules": (AlertRule,),
}
"""Of each section what is kept of its objects, and what is counted for them."""

BY_THE_API: dict[str, tuple[Struct, set[str], set[str]]] = {
    "providers": (NewProvider, set(), set()),
    "provider_keys": (NewProviderKey, {"provider"}, set()),
    "models": (NewPrice, names(ModelChange), {"confirm"}),
    "model_groups": (NewModelGroup, set(), set()),
    "routes": (NewRoute, set(), set()),
    "tenants": (NewTenant, set(), set()),
    "users": (NewUser, {"password"}, set()),
    "members": (NewMember, {"tenant_id"}, {"user_id"}),
    "keys": (NewVirtualKey, {"secret"}, set()),
    "limits": (NewLimits, set(), set()),
    "budgets": (Budget, {"subject"}, set()),
    "alert_channels": (NewAlertChannel, set(), set()),
    "alert_rules": (NewAlertRule, set(), set()),
}
"""What an admin gives of each, what a document says besides, and what it says otherwise: it writes this and no more."""

CALLED_OTHERWISE = {"id", "user_id", "tenant", "owner", "user"}
"""Names of objects, which a document may spell in several ways."""


def writable(section: str) -> set[str]:
    api, besides, otherwise = BY_THE_API[section]
    return (names(api) | besides) - otherwise


def fields_of_state(section: str) -> set[str]:
    kept = {name for entity in STATE[section] for name in names(entity)}
    return kept - writable(section) - CALLED_OTHERWISE


def first_of(document: dict[str, Any], section: str) -> dict[str, Any]:
    places = {
        "provider_keys": lambda: document["providers"][0]["keys"],
        "alert_channels": lambda: document["alerts"]["channels"],
        "alert_rules": lambda: document["alerts"]["rules"],
    }
    found: dict[str, Any] = places.get(section, lambda: document[section])()[0]
    return found


def test_every_kind_of_object_is_looked_at() -> None:
    assert (
        set(STATE)
        == set(BY_THE_API)
        == {kind.section for kind in KINDS} - {kind.section for kind in KINDS if kind.section.startswith("settings.")}
    )
    assert "last_used_at" in fields_of_state("keys")


@pytest.mark.parametrize("section", STATE)
def test_a_document_writes_of_an_object_what_an_admin_gives_and_no_more(section: str) -> None:
    kind = next(kind for kind in KINDS if kind.section == section)

    assert names(kind.entry) | ({kind.secret} if kind.secret else set()) == writable(section)


async def test_a_document_that_writes_state_is_refused_by_the_fields_name(desired_state: DesiredState) -> None:
    for section in STATE:
        for name in sorted(fields_of_state(section)):
            document = copy.deepcopy(DOCUMENT)
            first_of(document, section)[name] = "x"

            problems = (await desired_state.plan(document)).problems

            said = [step.why for step in problems if step.section == section]
            assert any(name in why and "unknown field" in why for why in said), (section, name, said)


def test_the_settings_file_writes_of_an_object_what_a_document_writes_and_no_more() -> None:
    assert names(DeclaredKey) - {"secret"} == names(ProviderKeyEntry) - {"provider"}
    assert names(DeclaredProvider) - {"keys"} == names(NewProvider)
    assert names(NewRoute) - {"alias"} == names(RoutePolicy)
