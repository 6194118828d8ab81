"""`GET /admin/limits/explain`: what a key would meet, how it stands, and that asking changes nothing."""

from typing import Any

import httpx
import pytest

from domain.actors import Actor
from domain.authority import EVERYWHERE
from domain.errors import NotFound
from domain.ports.limits import Demand
from domain.subject_limits import Subject, SubjectRules
from tests.integration.admin_app import AdminApp


@pytest.fixture
async def app() -> AdminApp:
    return await AdminApp.make()


async def explained(http: httpx.AsyncClient, key_id: str, **asked: str) -> dict[str, list[dict[str, Any]]]:
    answer = await http.get("/admin/limits/explain", params={"key_id": key_id} | asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, list[dict[str, Any]]] = answer.json()
    return found


async def test_every_limit_and_budget_of_whom_the_key_acts_for_is_there_with_its_source(app: AdminApp) -> None:
    async with app.client() as http:
        key = (await http.post("/admin/keys", json={"name": "one", "limits": {"rpm": 3, "parallel": 2}})).json()["id"]
        await http.patch("/admin/tenants/ten_default", json={"budgets": [{"limit_usd": "5", "period": "day"}]})
        await http.post("/admin/limits", json={"subject": {"kind": "tenant", "id": "ten_default"}, "rpd": 100})
        await http.post("/admin/limits", json={"subject": {"kind": "model", "id": "alpha/*"}, "tpm": 1000})
        await http.patch("/admin/settings/rate-limits", json={"key": {"tpd": 7000}})
        without = await explained(http, key)
        with_model = await explained(http, key, model="alpha/m")

    found = {(item["subject"]["kind"], item["unit"]): item for item in with_model["limits"]}
    assert {name: item["source"] for name, item in found.items()} == {
        ("key", "rpm"): "field",
        ("key", "parallel"): "field",
        ("key", "tpd"): "default",
        ("tenant", "rpd"): "rule",
        ("model", "tpm"): "rule",
    }
    assert found["key", "rpm"]["subject"] == {"kind": "key", "id": key, "name": "one"}
    assert found["tenant", "rpd"]["period_end"].endswith("T00:00:00Z")
    assert {item["subject"]["kind"] for item in without["limits"]} == {"key", "tenant"}
    (budget,) = with_model["budgets"]
    assert (budget["limit"], budget["used"], budget["held"], budget["remaining"], budget["unit"]) == (
        "5.00", "0.00", "0.00", "5.00", "usd"
    )  # fmt: skip
    assert (budget["source"], budget["refuses"]) == ("field", False)


async def test_it_shows_what_is_used_and_takes_nothing_of_it(app: AdminApp) -> None:
    async with app.client() as http:
        made = await http.post("/admin/keys", json={"limits": {"rpm": 2, "tpm": 500, "parallel": 9, "rpd": 50}})
        key_id = made.json()["id"]
        async with app.fakes.store.read() as unit:
            key = await unit.virtual_keys.get(key_id, EVERYWHERE)
        assert key is not None
        subject = SubjectRules(Subject("key", key_id), key.limits)
        gate = app.fakes.gate
        takes = [await gate.limiter((subject,)).take(Demand(100, 20)) for _ in range(2)]
        first = await explained(http, key_id)
        second = await explained(http, key_id)
        takes[0].settle(100, 20)

        after = await explained(http, key_id)

    used = {item["unit"]: (item["used"], item["remaining"], item["refuses"]) for item in first["limits"]}
    assert used == {"rpm": (2, 0, True), "tpm": (240, 260, False), "parallel": (2, 7, False), "rpd": (2, 48, False)}
    assert first["limits"][0]["unit"] == "rpm"  # the tightest
    assert second == first
    assert {item["unit"]: item["used"] for item in after["limits"]}["parallel"] == 1


async def test_a_budget_of_another_model_is_not_met(app: AdminApp) -> None:
    budgets = [{"limit_usd": "1", "models": ["openai/*"]}, {"limit_usd": "0"}]
    async with app.client() as http:
        key = (await http.post("/admin/keys", json={"budgets": budgets})).json()["id"]
        found = await explained(http, key, model="alpha/m")

    assert [(budget["limit"], budget["refuses"]) for budget in found["budgets"]] == [("0.00", True)]


async def test_who_does_not_see_the_key_finds_nothing_and_a_tenants_admin_no_providers(app: AdminApp) -> None:
    theirs = Actor("user", "usr_1", "Ann", roles={"ten_default": "admin"}, user_id="usr_1")
    other = Actor("user", "usr_2", "Bob", roles={"ten_other": "owner"}, user_id="usr_2")
    async with app.client() as http:
        key = (await http.post("/admin/keys", json={"limits": {"rpm": 1}})).json()["id"]
        await http.post("/admin/providers", json={"id": "openrouter"})
        await http.post("/admin/limits", json={"subject": {"kind": "provider", "id": "openrouter"}, "rpm": 5})
        all_ = await explained(http, key, model="openrouter/m")
        unknown = await http.get("/admin/limits/explain", params={"key_id": "key_unknown"})

    seen = await app.fakes.explainer.get(theirs, key, "openrouter/m")
    with pytest.raises(NotFound):
        await app.fakes.explainer.get(other, key, None)
    assert unknown.status_code == 404
    assert {item["subject"]["kind"] for item in all_["limits"]} == {"key", "provider"}
    assert {item.subject.kind for item in seen.limits} == {"key"}


async def test_tags_that_a_request_names_itself_are_met_too(app: AdminApp) -> None:
    """Contract 10: its own tags count in their limits, beside those of its key."""
    async with app.client() as http:
        key = (await http.post("/admin/keys", json={"name": "one", "tags": ["team"]})).json()["id"]
        for tag, rpm in (("team", 7), ("night", 3), ("other", 1)):
            await http.post("/admin/limits", json={"subject": {"kind": "tag", "id": tag}, "rpm": rpm})
        await http.post("/admin/budgets", json={"subject": {"kind": "tag", "id": "night"}, "limit_usd": "5"})
        without = await explained(http, key)
        named = await explained(http, key, tags="night, team")
        too_long = await http.get("/admin/limits/explain", params={"key_id": key, "tags": "x" * 65})

    assert [item["subject"]["id"] for item in without["limits"]] == ["team"]
    assert sorted(item["subject"]["id"] for item in named["limits"]) == ["night", "team"]
    assert [item["subject"]["id"] for item in named["budgets"]] == ["night"]
    assert too_long.status_code == 400
