"""Objects of the settings file: made at a start by one process, and nobody else's to change from then on."""

import asyncio
from typing import Any

import pytest

from application.admin.default_models import DefaultModels
from application.admin.default_rules import LimitDefaultsChange
from application.admin.prices import ModelChange
from application.admin.routing_settings import RoutingSettingsChange
from application.admin.tenants import TenantChange
from application.bootstrap import BOOTSTRAP, PENDING
from application.desired_state.objects import References
from application.desired_state.planning import Step
from application.desired_state.startup import DeclarationRefused, StartupObjects
from application.desired_state.state import DesiredState, Outcome
from domain.actors import PLATFORM_ADMIN, Actor
from domain.errors import Conflict, RequestInvalid
from tests.fakes.administration import FakeAdministration
from tests.unit.application.desired_state.conftest import CI_KEY
from tests.unit.application.desired_state.test_state import DOCUMENT, told

pytestmark = pytest.mark.virtual_time


@pytest.fixture
def startup(desired_state: DesiredState, admin: FakeAdministration) -> StartupObjects:
    return StartupObjects(desired_state, admin.state, admin.store)


async def test_processes_that_start_at_once_make_each_object_once(
    startup: StartupObjects, admin: FakeAdministration
) -> None:
    await asyncio.gather(*(startup.declare(DOCUMENT, "omg.yaml") for _ in range(3)))

    rows = admin.store.remember()
    assert [tenant.name for tenant in rows.tenants.values()].count("Research") == 1
    assert len([key for key in rows.virtual_keys.values() if key.name == "ci"]) == 1
    assert (len(rows.rules), len(rows.alert_channels)) == (2, 1)


async def test_one_that_waited_in_vain_makes_them_itself(startup: StartupObjects, admin: FakeAdministration) -> None:
    """The process that was to make them has died."""
    before = admin.store.remember()
    await startup.declare(DOCUMENT, "omg.yaml")
    facts = admin.store.remember().facts
    admin.store.go_back(before)
    async with admin.store.write() as unit:
        for name, value in facts.items():
            await unit.facts.put(name, value)

    await startup.declare(DOCUMENT, "omg.yaml")

    assert "Research" in [tenant.name for tenant in admin.store.remember().tenants.values()]


async def test_a_start_that_finds_all_as_it_is_declared_writes_nothing(
    startup: StartupObjects, admin: FakeAdministration
) -> None:
    await startup.declare(DOCUMENT, "omg.yaml")
    before = admin.store.remember()

    await startup.declare(DOCUMENT, "omg.yaml")

    assert vars(admin.store.remember()) == vars(before)


async def test_what_the_file_declares_is_read_only_for_admins_and_for_documents(
    startup: StartupObjects, desired_state: DesiredState, admin: FakeAdministration
) -> None:
    await startup.declare({"tenants": DOCUMENT["tenants"], "model_groups": DOCUMENT["model_groups"]}, "omg.yaml")
    tenant = next(each for each in admin.store.remember().tenants.values() if each.name == "Research")

    with pytest.raises(Conflict, match=r"omg\.yaml"):
        await admin.tenants.update(PLATFORM_ADMIN, tenant.id, TenantChange(name="other"))
    other = await desired_state.plan({"tenants": [{"name": "Research", "tags": ["new"]}]}, prune=True)

    assert told(other) == [("problem", "tenants", "Research")]
    assert "omg.yaml" in other.problems[0].why
    assert [each["name"] for each in _listed(await desired_state.export(), "tenants")] == ["Default"]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"tenants": [{"name": "A", "colour": "red"}]}, "colour"),
        ({"keys": [{"name": "k", "secret": "env:ABSENT"}]}, "ABSENT"),
        ({"keys": [{"name": "k", "tenant": "Nowhere"}]}, "Nowhere"),
        ({"users": [{"email": "a@b", "password": "env:SHORT"}]}, "users"),
    ],
    ids=["field", "secret", "reference", "password"],
)
async def test_an_object_that_cannot_be_made_is_named(
    startup: StartupObjects, admin: FakeAdministration, document: dict[str, Any], said: str
) -> None:
    async with admin.store.write() as unit:
        await unit.facts.put(BOOTSTRAP, PENDING)
    for make in (startup.bootstrap(document), startup.declare(document, "omg.yaml")):
        with pytest.raises(DeclarationRefused, match=said):
            await make


@pytest.mark.parametrize("died_after", range(1, 13, 3))
async def test_a_first_start_that_died_is_completed_by_the_next_object_by_object(
    startup: StartupObjects, desired_state: DesiredState, admin: FakeAdministration, died_after: int
) -> None:
    async with admin.store.write() as unit:
        await unit.facts.put(BOOTSTRAP, PENDING)
    taken = desired_state._taken
    left = [died_after]

    async def dying(actor: Actor, step: Step, refs: References) -> Outcome:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return await taken(actor, step, refs)

    desired_state._taken = dying  # type: ignore[method-assign]  # the process dies between two objects
    with pytest.raises(KeyboardInterrupt):
        await startup.bootstrap(DOCUMENT)
    half = len((await desired_state.plan(DOCUMENT)).changes)
    desired_state._taken = taken  # type: ignore[method-assign]  # and another one starts

    await startup.bootstrap(DOCUMENT)

    assert half > 0
    assert told(await desired_state.plan(DOCUMENT)) == []
    rows = admin.store.remember()
    assert [tenant.name for tenant in rows.tenants.values()].count("Research") == 1
    assert len([key for key in rows.virtual_keys.values() if key.name == "ci"]) == 1


async def test_a_bootstrap_that_is_complete_or_came_later_changes_nothing(
    startup: StartupObjects, desired_state: DesiredState, admin: FakeAdministration
) -> None:
    """What was made of it is an admin's from then on; a store that was there before it never sees it."""
    await startup.bootstrap(DOCUMENT)
    assert (await desired_state.plan(DOCUMENT)).changes

    async with admin.store.write() as unit:
        await unit.facts.put(BOOTSTRAP, PENDING)
    await startup.bootstrap({"tenants": DOCUMENT["tenants"]})
    await startup.bootstrap(DOCUMENT | {"tenants": [{"name": "Later"}]})

    assert "Later" not in [tenant.name for tenant in admin.store.remember().tenants.values()]


@pytest.mark.parametrize(
    "lists", [{"allowed_models": ["own/["]}, {"allowed_providers": ["!"]}, {"allowed_models": ["@none"]}]
)
async def test_lists_of_a_key_in_the_file_are_checked_as_in_the_api(
    startup: StartupObjects, admin: FakeAdministration, lists: dict[str, Any]
) -> None:
    document = {"keys": [{"name": "k", "secret": "env:CI_KEY", **lists}]}
    async with admin.store.write() as unit:
        await unit.facts.put(BOOTSTRAP, PENDING)
    for make in (startup.bootstrap(document), startup.declare(document, "omg.yaml")):
        with pytest.raises(DeclarationRefused, match=next(iter(lists))):
            await make


async def test_a_key_of_the_first_start_has_the_lists_that_it_was_given(
    startup: StartupObjects, admin: FakeAdministration
) -> None:
    async with admin.store.write() as unit:
        await unit.facts.put(BOOTSTRAP, PENDING)

    await startup.bootstrap({"keys": [{"name": "k", "secret": "env:CI_KEY", "allowed_models": ["openai/*", "!*-pro"]}]})

    (key,) = (key for key in admin.store.remember().virtual_keys.values() if key.name == "k")
    assert key.allowed_models == ("openai/*", "!*-pro")
    principal = await admin.authenticator.authenticate(CI_KEY)
    assert principal.grants is not None
    assert [principal.grants.allow("openai", name) for name in ("gpt", "gpt-pro")] == [True, False]


async def test_settings_and_facts_of_models_that_the_file_declares_are_read_only(
    startup: StartupObjects, admin: FakeAdministration
) -> None:
    part = {name: DOCUMENT[name] for name in ("models", "model_groups", "settings")}
    await startup.declare({"providers": DOCUMENT["providers"]} | part, "omg.yaml")

    writes = (
        admin.default_rules.update_limits(PLATFORM_ADMIN, LimitDefaultsChange(key=None)),
        admin.routing_settings.update(PLATFORM_ADMIN, RoutingSettingsChange(latency="low")),
        admin.default_models.update(PLATFORM_ADMIN, DefaultModels(models=None)),
        admin.prices.change(PLATFORM_ADMIN, "own", "gemma", ModelChange(context_window=1)),
        admin.prices.end_price(PLATFORM_ADMIN, "own", "llama"),
    )
    for write in writes:
        with pytest.raises(Conflict, match=r"omg\.yaml"):
            await write


async def test_what_is_no_document_is_refused(startup: StartupObjects) -> None:
    with pytest.raises(RequestInvalid):
        await startup.declare({"tenants": {"name": "A"}}, "omg.yaml")


def _listed(document: dict[str, object], section: str) -> list[dict[str, Any]]:
    found = document[section]
    assert isinstance(found, list)
    return found
