"""`/admin/tenants`, their members, and `/admin/users`, as the platform's admin and as people of a tenant see them."""

from decimal import Decimal

import httpx
import pytest

from application.admin.admin_tokens import NewAdminToken
from application.admin.members import MemberChange, NewMember
from application.admin.tenants import NewTenant, TenantChange
from application.admin.users import NewUser, UserChange
from domain.actors import Actor
from domain.errors import GatewayError, NotFound, PermissionDenied
from domain.limits import Budget, RateLimits
from domain.tenants import RANK, Role
from tests.fakes.administration import ACTOR
from tests.integration.admin_app import AdminApp

RANDOM = "ten_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f"


@pytest.fixture
async def app() -> AdminApp:
    return await AdminApp.make()


def an_actor(role: Role, tenant_id: str = "ten_default") -> Actor:
    return Actor("user", f"usr_{role}", role.title(), roles={tenant_id: role}, user_id=f"usr_{role}")


async def test_a_tenant_is_created_listed_changed_and_deleted(app: AdminApp) -> None:
    async with app.client() as http:
        made = await http.post("/admin/tenants", json={"name": "Research", "allowed_models": [], "tags": ["a"]})
        path = f"/admin/tenants/{made.json()['id']}"
        listed = await http.get("/admin/tenants")
        changed = await http.patch(path, json={"status": "suspended", "budgets": [{"limit_usd": "0.10"}]})
        gone = await http.delete(path)

        assert made.status_code == 201
        assert made.json()["allowed_models"] == []
        assert made.json()["allowed_providers"] is None
        assert [tenant["name"] for tenant in listed.json()["data"]] == ["Default", "Research"]  # by id
        assert changed.json()["status"] == "suspended"
        assert changed.json()["budgets"][0]["limit_usd"] == "0.10"
        assert gone.status_code == 204
        assert (await http.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("field", "value", "param"),
    [
        ("allowed_models", ["/"], "allowed_models.0"),
        ("allowed_providers", ["Open AI"], "allowed_providers.0"),
        ("cidrs", ["10.0.0.0/8", "everywhere"], "cidrs.1"),
        ("tags", ["a,b"], "tags.0"),
        ("budgets", [{"limit_usd": "1", "timezone": "Mars/Olympus"}], "budgets.0.timezone"),
        ("budgets", [{"limit_usd": "1", "models": ["["]}], "budgets.0.models.0"),
        ("budgets", [{"limit_usd": "1", "on_exceeded": "downgrade"}], "budgets.0"),
        ("budgets", [{"limit_usd": "-1"}], "budgets.0"),
        ("budgets", [{"limit_usd": "NaN"}], "budgets.0"),
        ("limits", {"rpm": -1}, "limits.rpm"),
        ("limits", {"rps": 1}, "limits.rps"),
        ("role", "owner", "role"),
    ],
)
async def test_what_could_never_hold_is_refused_and_named(app: AdminApp, field: str, value: object, param: str) -> None:
    async with app.client() as http:
        for answer in (
            await http.post("/admin/tenants", json={"name": "x", field: value}),
            await http.patch("/admin/tenants/ten_default", json={field: value}),
        ):
            assert answer.status_code == 400, answer.text
            assert answer.json()["error"]["param"] == param


async def test_the_default_tenant_and_personal_ones_are_not_deleted_by_hand(app: AdminApp) -> None:
    async with app.client() as http:
        user = (await http.post("/admin/users", json={"email": "Ann@Example.org"})).json()
        for tenant_id in ("ten_default", user["personal_tenant_id"]):
            assert (await http.delete(f"/admin/tenants/{tenant_id}")).json()["error"]["code"] == "read_only"
        assert (await http.post("/admin/tenants", json={"name": "x", "kind": "personal"})).status_code == 409


async def test_a_user_comes_with_a_personal_tenant_and_goes_with_it(app: AdminApp) -> None:
    async with app.client() as http:
        user = (await http.post("/admin/users", json={"email": "Ann@Example.org", "name": "Ann"})).json()
        tenant = f"/admin/tenants/{user['personal_tenant_id']}"
        members = (await http.get(f"{tenant}/members")).json()["data"]
        again = await http.post("/admin/users", json={"email": "ann@example.org"})
        gone = await http.delete(f"/admin/users/{user['id']}")

        assert (user["email"], user["status"], user["platform_role"]) == ("ann@example.org", "invited", "none")
        assert [(member["user_id"], member["role"]) for member in members] == [(user["id"], "owner")]
        assert again.json()["error"]["code"] == "already_exists"
        assert gone.status_code == 204
        assert (await http.get(tenant)).status_code == 404


@pytest.mark.parametrize("email", ["nobody", "a@b c", "a@b\nc", "@", "a,b@c", "x" * 255])
async def test_what_is_no_address_is_refused(app: AdminApp, email: str) -> None:
    async with app.client() as http:
        answer = await http.post("/admin/users", json={"email": email})

        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == "email"


async def test_a_member_is_added_by_address_or_id_changed_and_removed(app: AdminApp) -> None:
    async with app.client() as http:
        known = (await http.post("/admin/users", json={"email": "ann@example.org", "name": "Ann"})).json()
        path = "/admin/tenants/ten_default/members"
        by_id = await http.post(path, json={"user_id": known["id"], "role": "viewer"})
        by_address = await http.post(path, json={"email": "bob@example.org"})
        changed = await http.patch(f"{path}/{known['id']}", json={"role": "admin", "limits": {"rpm": 5}})
        listed = (await http.get(path)).json()["data"]
        removed = await http.delete(f"{path}/{known['id']}")

        assert by_id.json()["name"] == "Ann"
        assert by_address.json()["status"] == "invited"
        assert (changed.json()["role"], changed.json()["limits"]["rpm"]) == ("admin", 5)
        assert {member["email"] for member in listed} == {"ann@example.org", "bob@example.org"}
        assert removed.status_code == 204
        assert (await http.get(f"{path}/{known['id']}")).status_code == 404
        for wrong in ({}, {"email": "c@example.org", "user_id": "usr_1"}, {"user_id": "usr_none"}):
            assert (await http.post(path, json=wrong)).status_code == 400


async def test_an_admin_of_a_tenant_cannot_tell_a_known_address_from_an_unknown_one(app: AdminApp) -> None:
    """S-13: and the ids of users say nothing of their age."""
    fakes = app.fakes
    known = await fakes.users.create(ACTOR, NewUser(email="known@example.org", name="Known", status="active"))
    admin = an_actor("admin")

    answers = [
        await fakes.members.add(admin, "ten_default", NewMember(email=email))
        for email in ("known@example.org", "unknown@example.org")
    ]

    from entrypoints.http.admin.members import _answer  # what is shown of it

    shown = [_answer(admin, member) for member in answers]
    assert shown[0].user_id == known.id
    assert {(answer.name, answer.status) for answer in shown} == {(None, None)}
    with pytest.raises(PermissionDenied, match="email"):
        await fakes.members.add(admin, "ten_default", NewMember(user_id=known.id))


async def outcome(action: object) -> str:
    """What an awaitable ends with: `done`, or the kind of its refusal."""
    try:
        await action  # type: ignore[misc]  # any of the use cases
    except GatewayError as error:
        return type(error).__name__
    return "done"


@pytest.mark.parametrize("role", RANK)
async def test_a_foreign_tenant_answers_as_one_that_is_not_there(app: AdminApp, role: Role) -> None:
    """S-04: for each role, whatever is asked of it."""
    fakes = app.fakes
    foreign = await fakes.tenants.create(ACTOR, NewTenant(name="Foreign"))
    member = await fakes.members.add(ACTOR, foreign.id, NewMember(email="f@example.org"))
    actor, user_id = an_actor(role), member.user.id
    texts = []

    for tenant_id in (foreign.id, RANDOM):
        for action in (
            fakes.tenants.get(actor, tenant_id),
            fakes.members.list_page(actor, tenant_id, 9, None),
            fakes.members.get(actor, tenant_id, user_id),
            fakes.members.add(actor, tenant_id, NewMember(email="g@example.org")),
            fakes.members.update(actor, tenant_id, user_id, MemberChange(role="viewer")),
            fakes.members.remove(actor, tenant_id, user_id),
        ):
            with pytest.raises(NotFound) as refused:
                await action
            texts.append(refused.value.message.replace(tenant_id, "ID"))

    assert texts[: len(texts) // 2] == texts[len(texts) // 2 :]


@pytest.mark.parametrize("role", RANK)
async def test_only_the_platform_changes_tenants_and_users(app: AdminApp, role: Role) -> None:
    """S-02: nobody raises themselves."""
    fakes, actor = app.fakes, an_actor(role)
    user = await fakes.users.create(ACTOR, NewUser(email="u@example.org"))

    for action in (
        fakes.tenants.create(actor, NewTenant(name="x")),
        fakes.users.create(actor, NewUser(email="v@example.org", platform_role="admin")),
        fakes.users.update(actor, user.id, UserChange(platform_role="admin")),
        fakes.users.delete(actor, user.id),
    ):
        assert await outcome(action) == "PermissionDenied"
    changed = await outcome(fakes.tenants.update(actor, "ten_default", TenantChange(name="y")))
    assert changed == ("NotFound" if role == "member" else "PermissionDenied")
    assert await fakes.users.get(user.id) == user


@pytest.mark.parametrize("role", RANK)
@pytest.mark.parametrize("given", RANK)
async def test_nobody_gives_changes_or_takes_a_role_above_their_own(app: AdminApp, role: Role, given: Role) -> None:
    fakes, actor = app.fakes, an_actor(role)
    other = (await fakes.members.add(ACTOR, "ten_default", NewMember(email="o@example.org", role=given))).user.id
    plain = (await fakes.members.add(ACTOR, "ten_default", NewMember(email="p@example.org", role="viewer"))).user.id
    may = role in ("owner", "admin") and RANK[given] <= RANK[role]
    refusal = "NotFound" if role == "member" else "PermissionDenied"

    for action in (
        fakes.members.add(actor, "ten_default", NewMember(email="n@example.org", role=given)),
        fakes.members.update(actor, "ten_default", plain, MemberChange(role=given)),
        fakes.members.update(actor, "ten_default", other, MemberChange(role="viewer")),
    ):
        assert await outcome(action) == ("done" if may else refusal)
    third = (await fakes.members.add(ACTOR, "ten_default", NewMember(email="q@example.org", role=given))).user.id
    assert await outcome(fakes.members.remove(actor, "ten_default", third)) == ("done" if may else refusal)


@pytest.mark.parametrize("role", ["owner", "admin"])
async def test_nobody_gives_a_member_more_than_the_tenant_has(app: AdminApp, role: Role) -> None:
    """S-01, for limits and budgets. What the platform's admin gives does no harm: the tenant's hold all the same."""
    fakes, actor = app.fakes, an_actor(role)
    dollars = [(Budget(limit_usd=Decimal(amount)),) for amount in (5, 6)]
    await fakes.tenants.update(ACTOR, "ten_default", TenantChange(limits=RateLimits(rpm=5), budgets=dollars[0]))
    seen: list[str] = []
    for who, limits, budgets in (
        (actor, RateLimits(rpm=5), dollars[0]),
        (actor, RateLimits(rpm=6), ()),
        (actor, RateLimits(), dollars[1]),
        (ACTOR, RateLimits(rpm=6), dollars[1]),
    ):
        new = NewMember(email=f"m{len(seen)}@example.org", limits=limits, budgets=budgets)
        known = (await fakes.members.add(ACTOR, "ten_default", NewMember(email=f"k{len(seen)}@example.org"))).user.id
        change = MemberChange(limits=limits, budgets=budgets)
        seen.append(await outcome(fakes.members.add(who, "ten_default", new)))
        assert await outcome(fakes.members.update(who, "ten_default", known, change)) == seen[-1]

    assert seen == ["done", "PermissionDenied", "PermissionDenied", "done"]


async def test_only_the_platforms_admin_gets_the_invite_of_somebody_new(app: AdminApp) -> None:
    """Whoever manages the tenant alone gets the same answer for an address that is known and for one that is not."""
    path = "/admin/tenants/ten_default/members"
    made = await app.fakes.admin_tokens.create(ACTOR, NewAdminToken(scopes=("tenant:ten_default",)))
    await app.fakes.users.create(ACTOR, NewUser(email="known@example.org", status="active"))
    async with app.client() as admin, app.client(made[1].reveal()) as manager, app.client(None) as anybody:
        new = (await admin.post(path, json={"email": "new@example.org"})).json()
        answers = [
            (await manager.post(path, json={"email": f"{who}@example.org"})).json() for who in ("known", "other")
        ]
        token = new["invite_url"].rpartition("/")[2]
        taken = await anybody.post(f"/auth/invites/{token}", json={"password": "a new horse battery"})

    own = {"user_id", "email"}
    assert {name: value for name, value in answers[0].items() if name not in own} == {
        name: value for name, value in answers[1].items() if name not in own
    }
    assert answers[0]["invite_url"] is None
    assert taken.json()["user"]["email"] == "new@example.org"


async def test_people_of_a_tenant_see_it_and_its_members_by_their_role(app: AdminApp) -> None:
    fakes = app.fakes
    for role in RANK:
        await fakes.members.add(ACTOR, "ten_default", NewMember(email=f"{role}@example.org", role=role))

    for role in RANK:
        seen = await outcome(fakes.members.list_page(an_actor(role), "ten_default", 9, None))
        tenants = await fakes.tenants.list_page(an_actor(role), 9, None)
        assert seen == ("NotFound" if role == "member" else "done")
        assert [tenant.id for tenant in tenants.data] == ([] if role == "member" else ["ten_default"])


async def test_nobody_is_added_to_or_removed_from_a_personal_tenant(app: AdminApp) -> None:
    async with app.client() as http:
        user = (await http.post("/admin/users", json={"email": "ann@example.org"})).json()
        path = f"/admin/tenants/{user['personal_tenant_id']}/members"

        added: httpx.Response = await http.post(path, json={"email": "bob@example.org"})
        removed = await http.delete(f"{path}/{user['id']}")

        assert (added.status_code, removed.status_code) == (400, 400)


async def test_every_budget_is_listed_with_how_it_stands(app: AdminApp) -> None:
    budget = {"limit_usd": "5", "period": "never"}
    async with app.client() as http:
        tenant = (await http.post("/admin/tenants", json={"name": "Research", "budgets": [budget]})).json()["id"]
        key = (await http.post("/admin/keys", json={"budgets": [budget, budget | {"period": "day"}]})).json()["id"]
        await http.post("/admin/budgets", json={"subject": {"kind": "tag", "id": "batch"}} | budget)

        listed = (await http.get("/admin/budgets")).json()["data"]

    whose = [(each["subject"]["kind"], each["subject"]["id"], each["period"]) for each in listed]
    assert whose == [("tag", "batch", "never"), ("tenant", tenant, "never"), ("key", key, "never"), ("key", key, "day")]
    assert [each["id"] is None for each in listed] == [False, True, True, True]
    assert {(each["spent_usd"], each["held_usd"], each["remaining_usd"]) for each in listed} == {
        ("0.00", "0.00", "5.00")
    }
    assert [each["subject_name"] for each in listed] == [None, "Research", None, None]


async def test_limits_that_are_fields_are_listed_where_they_are_asked_for(app: AdminApp) -> None:
    async with app.client() as http:
        tenant = (await http.post("/admin/tenants", json={"name": "Research", "limits": {"rpm": 7}})).json()["id"]
        await http.post("/admin/keys", json={"name": "without"})
        made = await http.post("/admin/limits", json={"subject": {"kind": "tenant", "id": tenant}, "tpm": 9})

        alone = (await http.get("/admin/limits")).json()["data"]
        listed = (await http.get("/admin/limits?fields=true")).json()["data"]

    assert alone == [made.json()]
    assert [(each["id"] is None, each["subject_name"], each["rpm"], each["tpm"]) for each in listed] == [
        (False, "Research", None, 9),
        (True, "Research", 7, None),
    ]
