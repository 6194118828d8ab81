"""A document becomes objects through the use cases, and objects a document, without a difference between the two."""

import copy
from typing import Any

import pytest

from application.admin.tenants import TenantChange
from application.admin.virtual_keys import VirtualKeyChange
from application.desired_state.planning import Plan
from application.desired_state.state import DesiredState
from application.desired_state.table import KINDS
from domain.actors import CONFIGURATION
from domain.audit import AuditFilter
from domain.authority import EVERYWHERE
from domain.errors import RequestInvalid
from domain.limits import RateLimits
from tests.fakes.administration import FakeAdministration
from tests.fakes.secret_references import FakeReferences
from tests.unit.application.desired_state.conftest import CI_KEY, WITH_ALL_PRICES

DOCUMENT: dict[str, Any] = {
    "providers": [
        {
            "id": "own",
            "base_url": "http://own.example/v1",
            "settings": {"models": ["llama"]},
            "keys": [{"label": "main", "secret": "env:UPSTREAM", "weight": 2}],
        }
    ],
    "models": [
        {
            "provider": "own",
            "model": "llama",
            "prices": {"input": "0.1", "output": "0.2"},
            "strengths": {"coding": 0.8},
            "retired_at": "2027-05-01",
        },
        {
            "provider": "own",
            "model": "gemma",
            "context_window": 8192,
            "data_policy": {"regions": ["eu"], "trains": False},
        },
        WITH_ALL_PRICES,
    ],
    "model_groups": [{"name": "fast", "patterns": ["own/*"]}],
    "settings": {
        "rate-limits": {"key": {"rpm": 60}},
        "budgets": {"tenant": [{"limit_usd": "100", "period": "month"}]},
        "default_models": {"models": ["@fast"]},
        "routing": {"baseline": "own/llama", "holdout_share": 0.02},
    },
    "routes": [{"alias": "smart", "targets": [{"provider": "own", "model": "llama"}]}],
    "tenants": [
        {
            "name": "Research",
            "external_id": "r-1",
            "allowed_models": ["@fast"],
            "limits": {"rpm": 5},
            "budgets": [{"limit_usd": 25.5, "period": "day"}],
        }
    ],
    "users": [
        {"email": "Ann@Example.org", "name": "Ann", "password": "env:PASSWORD"},
        {"email": "bob@example.org"},
    ],
    "members": [{"tenant": "r-1", "email": "ANN@example.org", "role": "admin"}],
    "keys": [
        {"name": "ci", "tenant": "Research", "secret": "env:CI_KEY", "limits": {"rpm": 3}},
        {"name": "ann", "tenant_id": "Research", "owner": "ann@example.org"},
        {"name": "own", "tenant": "personal/Bob@example.org", "owner": "bob@example.org"},
    ],
    "limits": [{"subject": {"kind": "tag", "id": "batch"}, "rpm": 3}],
    "budgets": [{"subject": {"kind": "tenant", "id": "r-1"}, "limit_usd": "1000", "models": ["own/*"]}],
    "alerts": {
        "channels": [{"name": "ops", "kind": "webhook", "url": "https://hooks.example/x", "secret": "env:SIGNING"}],
        "rules": [{"event": "provider_down", "channels": ["ops"]}],
    },
}


def told(plan: Plan) -> list[tuple[str, str, str]]:
    return [(step.action, step.section, step.key) for step in plan.steps if step.action not in {"same", "extra"}]


async def applied(desired_state: DesiredState, document: dict[str, Any]) -> None:
    outcomes = await desired_state.apply(CONFIGURATION, document)
    assert [outcome.error for outcome in outcomes if outcome.error] == []


def test_every_kind_has_a_row_of_its_own() -> None:
    assert len({kind.section for kind in KINDS}) == len(KINDS)


async def test_a_document_is_planned_without_a_change_then_made_and_then_there(
    desired_state: DesiredState, admin: FakeAdministration
) -> None:
    before = admin.store.remember()
    plan = await desired_state.plan(DOCUMENT)
    assert vars(admin.store.remember()) == vars(before)

    await applied(desired_state, DOCUMENT)

    assert plan.problems == ()
    assert {step.action for step in plan.changes if not step.section.startswith("settings.")} == {"create"}
    assert {step.section for step in plan.changes} == {kind.section for kind in KINDS}
    assert told(await desired_state.plan(DOCUMENT)) == []


async def test_each_object_that_is_applied_is_one_entry_in_the_audit_trail(
    desired_state: DesiredState, admin: FakeAdministration
) -> None:
    plan = await desired_state.plan(DOCUMENT)

    await applied(desired_state, DOCUMENT)

    async with admin.store.read() as unit:
        entries = [entry.record for entry in await unit.audit.page(AuditFilter(actor="configuration"), 100, None)]
    assert len(entries) == len(plan.changes)
    assert {entry.action for entry in entries} == {"create", "set", "update"}


async def test_what_is_exported_is_no_change_whoever_made_it(desired_state: DesiredState) -> None:
    await applied(desired_state, DOCUMENT)

    exported = await desired_state.export()

    assert told(await desired_state.plan(exported, prune=True)) == []
    assert [key["secret"] for key in _objects(exported, "keys") if "secret" in key] == []


async def test_an_export_makes_the_same_objects_in_an_empty_installation(
    desired_state: DesiredState, admin: FakeAdministration
) -> None:
    empty = admin.store.remember()
    await applied(desired_state, DOCUMENT)
    exported = await desired_state.export()
    admin.store.go_back(empty)
    await admin.state.reload()

    _objects(exported, "providers")[0]["keys"][0]["secret"] = "env:UPSTREAM"
    await applied(desired_state, exported)

    del _objects(exported, "providers")[0]["keys"][0]["secret"]
    assert await desired_state.export() == exported


async def test_a_difference_is_named_with_its_field_and_both_values(
    desired_state: DesiredState, admin: FakeAdministration
) -> None:
    await applied(desired_state, DOCUMENT)
    exported = await desired_state.export()
    tenant = next(each for each in admin.store.remember().tenants.values() if each.name == "Research")
    await admin.tenants.update(CONFIGURATION, tenant.id, TenantChange(limits=RateLimits(rpm=7)))

    plan = await desired_state.plan(exported)

    (step,) = plan.changes
    (difference,) = step.differences
    assert (step.action, step.section, step.key, difference.field) == ("update", "tenants", "Research", "limits")
    assert isinstance(difference.old, dict)
    assert isinstance(difference.new, dict)
    assert (difference.old["rpm"], difference.new["rpm"]) == (7, 5)
    await applied(desired_state, exported)
    assert told(await desired_state.plan(exported)) == []


@pytest.mark.parametrize(
    "section", [kind.section for kind in KINDS if not kind.section.startswith(("alert_", "settings."))]
)
async def test_what_a_document_leaves_out_stays_unless_it_is_pruned(desired_state: DesiredState, section: str) -> None:
    await applied(desired_state, DOCUMENT)
    exported = await desired_state.export()
    if section == "provider_keys":
        _objects(exported, "providers")[0]["keys"] = []
    else:
        exported[section] = []

    kept, pruned = await desired_state.plan(exported), await desired_state.plan(exported, prune=True)

    assert [step for step in kept.changes if step.action == "delete"] == []
    assert {step.section for step in pruned.changes if step.action == "delete"} == {section}


async def test_a_section_that_is_not_there_deletes_nothing(desired_state: DesiredState) -> None:
    await applied(desired_state, DOCUMENT)

    assert told(await desired_state.plan({"tenants": DOCUMENT["tenants"]}, prune=True)) == []


async def test_what_was_pruned_is_gone(desired_state: DesiredState, admin: FakeAdministration) -> None:
    await applied(desired_state, DOCUMENT)

    outcomes = await desired_state.apply(
        CONFIGURATION, {"alerts": {"rules": [], "channels": []}, "keys": []}, prune=True
    )

    rows = admin.store.remember()
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    assert (rows.virtual_keys, rows.alert_rules, rows.alert_channels) == ({}, {}, {})


async def test_a_key_has_the_secret_that_the_document_refers_to_and_another_one_once_that_changes(
    desired_state: DesiredState, admin: FakeAdministration, references: FakeReferences
) -> None:
    await applied(desired_state, DOCUMENT)
    assert (await admin.authenticator.authenticate(CI_KEY)).kind == "virtual_key"

    references.values["env:CI_KEY"] = "another secret of more than 32 characters".replace(" ", "-")
    plan = await desired_state.plan(DOCUMENT)
    await applied(desired_state, DOCUMENT)

    assert [(step.key, step.differences[0].new) for step in plan.changes] == [("Research/ci", "changed")]
    assert (await admin.authenticator.authenticate(references.values["env:CI_KEY"])).kind == "virtual_key"


async def test_a_new_key_without_a_secret_is_shown_once(desired_state: DesiredState) -> None:
    outcomes = await desired_state.apply(CONFIGURATION, DOCUMENT)

    assert [outcome.step.key for outcome in outcomes if outcome.secret is not None] == [
        "Research/ann",
        "personal/bob@example.org/own",
    ]


async def test_a_revoked_key_is_neither_changed_nor_made_again(
    desired_state: DesiredState, admin: FakeAdministration
) -> None:
    await applied(desired_state, DOCUMENT)
    key = next(each for each in admin.store.remember().virtual_keys.values() if each.name == "ci")
    await admin.virtual_keys.revoke(CONFIGURATION, key.id)

    same, other = copy.deepcopy(DOCUMENT), copy.deepcopy(DOCUMENT)
    other["keys"][0]["limits"] = {"rpm": 4}

    assert told(await desired_state.plan(same)) == []
    assert told(await desired_state.plan(other)) == [("problem", "keys", "Research/ci")]


async def test_keys_of_one_name_are_told_apart_by_their_ids(
    desired_state: DesiredState, admin: FakeAdministration
) -> None:
    await applied(desired_state, DOCUMENT)
    ids = list(admin.store.remember().virtual_keys)
    for key_id in ids[:2]:
        await admin.virtual_keys.update(CONFIGURATION, key_id, VirtualKeyChange(name="twin"))

    exported = await desired_state.export()

    assert sorted(key.get("id", "") for key in _objects(exported, "keys")) == ["", *sorted(ids[:2])]
    assert told(await desired_state.plan(exported, prune=True)) == []


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"tenants": [{"name": "A", "limits": {"rpm": "many"}}]}, "tenants[0].limits.rpm"),
        ({"tenants": [{"name": "A", "colour": "red"}]}, "colour"),
        ({"tenants": [{"name": "A"}, {"name": "A"}]}, "twice"),
        ({"keys": [{"name": "k", "tenant": "Nowhere"}]}, "Nowhere"),
        ({"keys": [{"name": "k", "secret": "sk-plain-text-secret"}]}, "env:"),
        ({"keys": [{"name": "k", "secret": "env:NOT_SET"}]}, "NOT_SET"),
        ({"keys": [{"name": "k", "secret": "sha256:abc"}]}, "64 characters"),
        ({"providers": [{"id": "own", "keys": [{"label": "x", "secret": "sha256:" + "0" * 64}]}]}, "env:"),
        ({"users": [{"name": "Ann"}]}, "email"),
        ({"models": [{"provider": "own", "model": "m", "prices": {"input": "1"}}]}, "prices.output"),
        ({"alerts": {"rules": [{"event": "provider_down", "channels": ["nobody"]}]}}, "nobody"),
        ({"budgets": [{"subject": {"kind": "tenant", "id": "Nowhere"}, "limit_usd": "1"}]}, "Nowhere"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_cannot_be_is_a_problem_that_says_where(
    desired_state: DesiredState, document: dict[str, Any], said: str
) -> None:
    plan = await desired_state.plan(document)

    assert [step.action for step in plan.steps if said in step.why] == ["problem"]


@pytest.mark.parametrize(
    "document",
    [{"tenant": []}, {"tenants": {"name": "A"}}, {"tenants": ["A"]}, {"alerts": []}, {"alerts": {"rule": []}}],
    ids=str,
)
async def test_what_is_no_document_is_refused_as_a_whole(desired_state: DesiredState, document: dict[str, Any]) -> None:
    with pytest.raises(RequestInvalid):
        await desired_state.plan(document)


async def test_one_object_that_cannot_be_written_does_not_keep_the_others(
    desired_state: DesiredState, admin: FakeAdministration
) -> None:
    document = {"providers": [{"id": "v1"}, {"id": "fine", "base_url": "http://fine.example/v1"}]}

    outcomes = await desired_state.apply(CONFIGURATION, document)

    assert [(outcome.step.key, bool(outcome.error)) for outcome in outcomes] == [("v1", True), ("fine", False)]
    assert "route" in outcomes[0].error
    assert list(admin.store.remember().providers) == ["fine"]


async def test_what_is_declared_elsewhere_is_no_change_or_says_where_it_is(desired_state: DesiredState) -> None:
    same = await desired_state.plan({"providers": [{"id": "groq", "priority": 40}]}, prune=True)
    other = await desired_state.plan({"providers": [{"id": "groq", "priority": 41}]})

    assert told(same) == []
    assert [(step.key, "environment" in step.why) for step in other.problems] == [("groq", True)]
    assert (await desired_state.export())["providers"] == []


async def test_people_are_made_with_the_password_that_the_document_refers_to(
    desired_state: DesiredState, admin: FakeAdministration
) -> None:
    await applied(desired_state, DOCUMENT)

    async with admin.store.read() as unit:
        ann, bob = [await unit.users.find(f"{name}@example.org") for name in ("ann", "bob")]
        assert ann is not None
        assert bob is not None
        passwords = [await unit.passwords.get(user.id) is not None for user in (ann, bob)]
        membership = await unit.memberships.list_of_user(ann.id)
    assert (ann.status, bob.status, passwords) == ("active", "invited", [True, False])
    assert sorted(each.role for each in membership) == ["admin", "owner"]


async def test_counters_are_no_configuration(desired_state: DesiredState, admin: FakeAdministration) -> None:
    await applied(desired_state, DOCUMENT)
    exported = await desired_state.export()
    async with admin.store.write() as unit:
        for key_id in admin.store.remember().virtual_keys:
            await unit.virtual_keys.used({key_id: admin.clock.now()})
            assert await unit.virtual_keys.get(key_id, EVERYWHERE) is not None

    assert await desired_state.export() == exported


def _objects(document: dict[str, object], section: str) -> list[dict[str, Any]]:
    found = document[section]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(
    ("setting", "value", "other"),
    [
        ("rate-limits", {"key": {"rpm": 60}}, {"key": {"rpm": 61}}),
        ("budgets", {"personal_tenant": [{"limit_usd": "5"}]}, {"personal_tenant": []}),
        ("default-models", {"models": ["own/*"]}, {"models": []}),
        ("routing", {"priority": "cost"}, {"priority": "quality"}),
    ],
)
async def test_each_setting_is_set_by_a_document_named_when_it_drifts_and_never_pruned(
    desired_state: DesiredState, setting: str, value: dict[str, Any], other: dict[str, Any]
) -> None:
    await applied(desired_state, {"settings": {setting: value}})
    exported = await desired_state.export()
    again, drift = {"settings": {setting: value}}, {"settings": {setting: other}}

    assert told(await desired_state.plan(again, prune=True)) == []
    assert told(await desired_state.plan(drift)) == [("update", f"settings.{setting}", setting)]
    assert told(await desired_state.plan({"settings": {}}, prune=True)) == []
    await applied(desired_state, drift)
    await applied(desired_state, exported)
    assert await desired_state.export() == exported


async def test_null_goes_back_to_what_holds_without_the_setting(
    desired_state: DesiredState, admin: FakeAdministration
) -> None:
    before = await desired_state.export()
    await applied(desired_state, {"settings": DOCUMENT["settings"] | {"routing": {"latency": "low"}}} | _fast())

    await applied(desired_state, {"settings": before["settings"]})

    assert (await desired_state.export())["settings"] == before["settings"]
    assert (await admin.default_rules.get_limits()).key == RateLimits()


def _fast() -> dict[str, Any]:
    return {"model_groups": DOCUMENT["model_groups"]}


async def test_what_is_known_of_a_model_is_changed_apart_from_its_price_and_taken_back_with_it(
    desired_state: DesiredState,
) -> None:
    await applied(desired_state, DOCUMENT)
    llama = {"provider": "own", "model": "llama"}

    await applied(desired_state, {"models": [llama | {"strengths": {"coding": 0.9}, "retired_at": None}]})
    entry = next(each for each in _objects(await desired_state.export(), "models") if each["model"] == "llama")
    assert (entry["strengths"], entry["retired_at"], entry["prices"]["input"]) == ({"coding": 0.9}, None, "0.10")

    await applied(desired_state, {"models": [llama | {"prices": None}]})
    entry = next(each for each in _objects(await desired_state.export(), "models") if each["model"] == "llama")
    assert (entry["prices"], entry["strengths"]) == (None, {"coding": 0.9})

    outcomes = await desired_state.apply(CONFIGURATION, {"models": []}, prune=True)
    assert [outcome.error for outcome in outcomes] == ["", "", ""]
    assert _objects(await desired_state.export(), "models") == []
