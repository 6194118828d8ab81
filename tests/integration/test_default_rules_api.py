"""`/admin/settings/rate-limits` and `…/budgets`: what the start said holds until an admin says otherwise."""

from decimal import Decimal

import pytest

from application.admission.default_rules import Defaults
from application.admission.rule_book import RuleBook
from domain.keys import Principal
from domain.limits import Budget, RateLimits
from domain.subject_limits import SubjectRules
from tests.integration.admin_app import AdminApp

CONFIGURED = Budget(limit_usd=Decimal(5))
PERSONAL = {"limit_usd": "1.50", "period": "day"}
SHARED = Principal("virtual_key", "key_1", "ten_1")
PERSON = Principal("virtual_key", "key_2", "ten_2", personal=True)


@pytest.fixture
async def app() -> AdminApp:
    app = await AdminApp.make()
    limits = RateLimits(rpm=100)
    app.fakes.rule_book.configured = Defaults(limits, limits, (CONFIGURED,), (CONFIGURED,), (CONFIGURED,))
    await app.fakes.state.reload()
    return app


def rules(book: RuleBook, principal: Principal) -> dict[str, SubjectRules]:
    return {each.subject.kind: each for each in book.of(principal)}


async def test_defaults_of_the_start_hold_until_an_admin_sets_them_and_again_after_null(app: AdminApp) -> None:
    book = app.fakes.rule_book
    async with app.client() as http:
        before = (await http.get("/admin/settings/rate-limits")).json()
        changed = await http.patch("/admin/settings/rate-limits", json={"key": {"tpm": 5, "parallel": 2}})
        in_force = rules(book, SHARED)
        read = (await http.get("/admin/settings/rate-limits")).json()
        undone = await http.patch("/admin/settings/rate-limits", json={"key": None})

    assert before["key"]["rpm"] == before["tenant"]["rpm"] == 100
    assert changed.status_code == 200, changed.text
    assert changed.json() == read
    assert (read["key"]["rpm"], read["key"]["tpm"], read["tenant"]["rpm"]) == (None, 5, 100)
    assert in_force["key"].limits == RateLimits(tpm=5, parallel=2)
    assert in_force["tenant"].limits == RateLimits(rpm=100)
    assert undone.json() == before
    assert rules(book, SHARED)["key"].limits == RateLimits(rpm=100)


async def test_personal_tenants_have_default_budgets_of_their_own(app: AdminApp) -> None:
    book = app.fakes.rule_book
    async with app.client() as http:
        changed = await http.patch("/admin/settings/budgets", json={"personal_tenant": [PERSONAL], "tenant": []})

    assert changed.status_code == 200, changed.text
    assert changed.json()["personal_tenant"][0]["limit_usd"] == "1.50"
    assert [budget["limit_usd"] for budget in changed.json()["key"]] == ["5"]
    assert [budget.limit_usd for budget in rules(book, PERSON)["tenant"].budgets] == [Decimal("1.50")]
    assert rules(book, SHARED)["tenant"].budgets == ()


async def test_what_one_process_sets_another_follows(app: AdminApp) -> None:
    other = RuleBook()
    async with app.client() as http:
        await http.patch("/admin/settings/budgets", json={"key": [PERSONAL]})
        await http.patch("/admin/settings/rate-limits", json={"tenant": {"rpd": 7}})
    async with app.fakes.store.read() as unit:
        versions = await unit.config_versions.load()
        await other.reload(unit)

    assert versions["limits"] == 2
    assert not other.idle
    assert rules(other, SHARED)["key"].budgets[0].period == "day"
    assert rules(other, SHARED)["tenant"].limits == RateLimits(rpd=7)


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("rate-limits", {"key": {"rpm": -1}}, "key.rpm"),
        ("rate-limits", {"key": {"rps": 1}}, "key.rps"),
        ("rate-limits", {"user": {"rpm": 1}}, "user"),
        ("budgets", {"key": [{"limit_usd": "1", "timezone": "Mars/Olympus"}]}, "key.0.timezone"),
        ("budgets", {"personal_tenant": [{"limit_usd": "1", "models": ["["]}]}, "personal_tenant.0.models.0"),
        ("budgets", {"tenant": [{"limit_usd": "-1"}]}, "tenant.0"),
    ],
)
async def test_a_default_that_makes_no_sense_is_refused_by_its_place(
    app: AdminApp, path: str, body: dict[str, object], param: str
) -> None:
    async with app.client() as http:
        before = (await http.get(f"/admin/settings/{path}")).json()
        refused = await http.patch(f"/admin/settings/{path}", json=body)

        assert refused.status_code == 400
        assert refused.json()["error"]["param"] == param
        assert (await http.get(f"/admin/settings/{path}")).json() == before


async def test_each_change_of_a_default_is_in_the_audit_trail(app: AdminApp) -> None:
    async with app.client() as http:
        await http.patch("/admin/settings/rate-limits", json={"key": {"rpm": 9}})
        entries = (await http.get("/admin/audit?object_kind=setting")).json()["data"]

    assert [(entry["action"], entry["object"]["id"]) for entry in entries] == [("set", "rate-limits")]
    assert entries[0]["changes"] == [{"field": "value.key.rpm", "old": None, "new": 9}]
