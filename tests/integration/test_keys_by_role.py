"""Every operation on keys × every role × own, the same tenant's and a foreign key (S-01, S-03, S-04)."""

import pytest

from application.admin.members import NewMember
from application.admin.tenants import NewTenant, TenantChange
from application.admin.virtual_keys import NewVirtualKey, VirtualKeyChange
from domain.actors import Actor
from domain.errors import GatewayError
from domain.limits import RateLimits
from domain.tenants import Role
from tests.fakes.administration import ACTOR, FakeAdministration

RANDOM = "key_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f"

# of each role, what becomes of: reading, changing, revoking, rotating and deleting a key
READS, WRITES, NOT_THERE, DENIED = "read", "written", "not_found", "permission_denied"
EXPECTED: dict[tuple[str, str], tuple[str, str]] = {
    ("owner", "own"): (READS, WRITES),
    ("owner", "service"): (READS, WRITES),
    ("owner", "colleague's"): (READS, WRITES),
    ("admin", "own"): (READS, WRITES),
    ("admin", "service"): (READS, WRITES),
    ("admin", "colleague's"): (READS, WRITES),
    ("member", "own"): (READS, WRITES),
    ("member", "service"): (NOT_THERE, NOT_THERE),
    ("member", "colleague's"): (NOT_THERE, NOT_THERE),
    ("viewer", "service"): (READS, DENIED),
    ("viewer", "colleague's"): (READS, DENIED),
} | {(role, whose): (NOT_THERE, NOT_THERE) for role in ("owner", "admin", "member", "viewer")
     for whose in ("foreign", "nobody's")}  # fmt: skip


class Scene:
    """A tenant with a person of a role and a colleague, each with a key, and another tenant."""

    def __init__(self, fakes: FakeAdministration, actor: Actor, keys: dict[str, str]) -> None:
        self.fakes = fakes
        self.actor = actor
        self.keys = keys

    @classmethod
    async def of(cls, role: Role) -> "Scene":
        fakes = await FakeAdministration().started()
        people = {
            name: (await fakes.members.add(ACTOR, "ten_default", NewMember(email=f"{name}@x.org", role=as_))).user.id
            for name, as_ in (("own", role), ("colleague's", "member"))
        }
        foreign = await fakes.tenants.create(ACTOR, NewTenant(name="Foreign"))
        wanted = {
            "service": NewVirtualKey(),
            "foreign": NewVirtualKey(tenant_id=foreign.id),
            "colleague's": NewVirtualKey(owner_id=people["colleague's"]),
        }
        if role != "viewer":
            wanted["own"] = NewVirtualKey(owner_id=people["own"])
        keys = {name: (await fakes.virtual_keys.create(ACTOR, new))[0].id for name, new in wanted.items()}
        actor = Actor("user", people["own"], "P", roles={"ten_default": role}, user_id=people["own"])
        return cls(fakes, actor, keys | {"nobody's": RANDOM})

    async def outcome(self, operation: str, key_id: str) -> tuple[str, str]:
        """What becomes of it, and what is said without the id."""
        keys, actor = self.fakes.virtual_keys, self.actor
        try:
            if operation == "get":
                await keys.get(actor, key_id)
                return READS, ""
            if operation == "update":
                await keys.update(actor, key_id, VirtualKeyChange(name="new"))
            elif operation == "rotate":
                await keys.rotate(actor, key_id)
            elif operation == "revoke":
                await keys.revoke(actor, key_id)
            else:
                await keys.delete(actor, key_id)
        except GatewayError as error:
            return error.code, error.message.replace(key_id, "ID")
        return WRITES, ""


@pytest.mark.parametrize(("role", "whose"), EXPECTED)
async def test_what_a_role_may_do_with_whose_key(role: Role, whose: str) -> None:
    scene = await Scene.of(role)
    key_id = scene.keys[whose]

    read = await scene.outcome("get", key_id)
    written = [(await scene.outcome(name, key_id))[0] for name in ("update", "rotate", "revoke", "delete")]

    assert (read[0], set(written)) == (EXPECTED[role, whose][0], {EXPECTED[role, whose][1]})


@pytest.mark.parametrize("role", ["owner", "admin", "member", "viewer"])
async def test_a_foreign_key_answers_exactly_as_a_random_one(role: Role) -> None:
    scene = await Scene.of(role)

    for operation in ("get", "update", "rotate", "revoke", "delete"):
        foreign = await scene.outcome(operation, scene.keys["foreign"])
        assert foreign == await scene.outcome(operation, RANDOM)


@pytest.mark.parametrize("role", ["owner", "admin", "member", "viewer"])
async def test_only_what_one_may_see_is_listed(role: Role) -> None:
    scene = await Scene.of(role)
    page = await scene.fakes.virtual_keys.list_page(scene.actor, 50, None)

    seen = {name for name, key_id in scene.keys.items() if key_id in {key.id for key in page.data}}
    assert seen == {whose for (of, whose), (read, _) in EXPECTED.items() if of == role and read == READS}


@pytest.mark.parametrize("role", ["owner", "admin", "member", "viewer"])
async def test_whose_a_new_key_is_follows_from_who_makes_it(role: Role) -> None:
    """S-03: for a colleague nobody makes one, nor in a tenant that is not theirs, whether it is there or not."""
    scene = await Scene.of(role)
    me, keys = scene.actor.user_id, scene.fakes.virtual_keys
    colleague = (await keys.get(ACTOR, scene.keys["colleague's"])).owner_id
    foreign = (await keys.get(ACTOR, scene.keys["foreign"])).tenant_id
    before = len((await keys.list_page(ACTOR, 50, None)).data)

    async def made(new: NewVirtualKey) -> str:
        try:
            await keys.create(scene.actor, new)
        except GatewayError as error:
            return error.code
        return "made"

    of_tenant = "made" if role in ("owner", "admin") else DENIED
    assert await made(NewVirtualKey(tenant_id="ten_default")) == of_tenant
    assert await made(NewVirtualKey(tenant_id="ten_default", owner_id=me)) == ("made" if role != "viewer" else DENIED)
    for wrong in (
        NewVirtualKey(tenant_id="ten_default", owner_id=colleague),
        NewVirtualKey(tenant_id=foreign),
        NewVirtualKey(tenant_id="ten_none"),
        NewVirtualKey(tenant_id=foreign, owner_id=me),
    ):
        assert await made(wrong) == DENIED
    expected = {"owner": 2, "admin": 2, "member": 1, "viewer": 0}[role]
    assert len((await keys.list_page(ACTOR, 50, None)).data) == before + expected


@pytest.mark.parametrize(
    ("field", "asked", "allowed"),
    [
        ("allowed_models", ("openai/gpt-5",), True),
        ("allowed_models", ("openai/*",), True),
        ("allowed_models", (), True),
        ("allowed_models", None, True),
        ("allowed_models", ("*",), False),
        ("allowed_models", ("anthropic/claude",), False),
        ("allowed_providers", ("openai",), True),
        ("allowed_providers", ("groq",), False),
        ("cidrs", ("10.1.0.0/16",), True),
        ("cidrs", ("0.0.0.0/0",), False),
        ("limits", RateLimits(rpm=10), True),
        ("limits", RateLimits(rpm=11), False),
    ],
)
async def test_nobody_gives_a_key_what_the_tenant_does_not_have(field: str, asked: object, allowed: bool) -> None:
    """S-01: neither at the mint nor by a change; and no row is left behind."""
    scene = await Scene.of("admin")
    fakes = scene.fakes
    has = TenantChange(
        allowed_models=("openai/*",), allowed_providers=("openai",), cidrs=("10.0.0.0/8",), limits=RateLimits(rpm=10)
    )
    await fakes.tenants.update(ACTOR, "ten_default", has)
    before = len((await fakes.virtual_keys.list_page(ACTOR, 50, None)).data)
    codes = []

    for act in (
        fakes.virtual_keys.create(scene.actor, NewVirtualKey(tenant_id="ten_default", **{field: asked})),  # type: ignore[arg-type]  # a field of it
        fakes.virtual_keys.update(scene.actor, scene.keys["service"], VirtualKeyChange(**{field: asked})),  # type: ignore[arg-type]  # as above
    ):
        try:
            await act
            codes.append("done")
        except GatewayError as error:
            codes.append(error.code if (error.param or "").startswith(field) else f"about {error.param}")

    assert codes == (["done", "done"] if allowed else [DENIED, DENIED])
    assert len((await fakes.virtual_keys.list_page(ACTOR, 50, None)).data) == before + allowed
