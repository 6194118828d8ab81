"""No key that somebody mints may do more than they may, nor does it when they lose a right (S-01, S-03)."""

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address, ip_network
from typing import Any, Final, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.admin.members import MemberChange
from application.admin.model_groups import NewModelGroup
from application.admin.tenants import TenantChange
from application.admin.users import UserChange
from domain.errors import PermissionDenied, Unauthenticated
from domain.grants import Grants, Patterns
from domain.users import User
from tests.fakes.administration import ACTOR
from tests.integration.asgi_asking import ask
from tests.integration.authorization_scene import A, Scene

THINGS: Final[dict[str, tuple[Any, ...]]] = {
    "allowed_models": tuple((provider, model) for provider in ("a", "b") for model in ("m", "m-pro", "n")),
    "allowed_providers": ("a", "b", "lab-a"),
    "cidrs": ("10.1.2.3", "10.9.0.1", "192.0.2.7", "2001:db8::1", "::ffff:10.1.2.3"),
    "allowed_endpoints": ("chat.completions", "embeddings", "messages"),
    "scopes": ("inference", "usage"),
}
"""What a key's list may allow, by the list's name."""

ENTRIES: Final[dict[str, tuple[str, ...]]] = {
    "allowed_models": tuple("* a/* b/* m a/m b/n *-pro @swift !*-pro !m !b/* !a/n !@swift".split()),
    "allowed_providers": ("a", "b", "lab-a"),
    "cidrs": tuple("10.0.0.0/8 10.1.0.0/16 10.1.2.3 0.0.0.0/0 192.0.2.0/24 2001:db8::/32 ::ffff:10.0.0.0/104".split()),
    "allowed_endpoints": THINGS["allowed_endpoints"],
    "scopes": THINGS["scopes"],
}
SWIFT = ("a/m", "n")
TENANT_HAS = ("allowed_models", "allowed_providers", "cidrs")
"""Lists of the tenant too, which a key's narrows."""

Entries = tuple[str, ...] | None


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    async def made() -> Scene:
        scene = await Scene.make()
        await scene.app.fakes.administration.groups.create(ACTOR, NewModelGroup(name="swift", patterns=SWIFT))
        scene.remember()
        return scene

    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(asyncio.run, made()).result()


def allowed_by(field: str, entries: Entries) -> set[Any]:
    """What a list says by itself, of which None restricts nothing."""
    if entries is None:
        return set(THINGS[field])
    if field == "allowed_models":
        patterns = Patterns(entries, {"swift": SWIFT})
        return {(p, m) for p, m in THINGS[field] if patterns.match(m, f"{p}/{m}")}
    if field == "cidrs":
        plain = [ip_network(entry.replace("::ffff:10.0.0.0/104", "10.0.0.0/8")) for entry in entries]
        return {each for each in THINGS[field] if any(ip_address(each.removeprefix("::ffff:")) in net for net in plain)}
    return set(entries)


def does(grants: Grants, field: str, thing: Any) -> bool:
    asking: dict[str, Callable[[], object]] = {
        "allowed_models": lambda: grants.allow(*thing),
        "allowed_providers": lambda: grants.allow_provider(thing),
        "cidrs": lambda: grants.require_address(thing),
        "allowed_endpoints": lambda: grants.require_endpoint(thing),
        "scopes": lambda: grants.require_scope(thing),
    }
    try:
        return asking[field]() is not False
    except PermissionDenied:
        return False


async def allowed_to(scene: Scene, secret: str, field: str) -> set[Any]:
    """What a key may do at its next use; nothing where it is refused."""
    scene.app.fakes.authenticator.forget_all()
    try:
        principal = await scene.app.fakes.authenticator.authenticate(secret)
    except (Unauthenticated, PermissionDenied):
        return set()
    return {thing for thing in THINGS[field] if does(principal.grants or Grants(), field, thing)}


async def minted(scene: Scene, who: str, **fields: Any) -> tuple[str, str] | None:
    """Id and secret of a key that somebody makes; None where they may not."""
    body = json.dumps({"name": "k", "tenant_id": A} | fields).encode()
    answer = await ask(scene.app.app, "POST", "/admin/keys", scene.headers[who], body)
    if answer.status == 201:
        made = json.loads(answer.body)
        return str(made["id"]), str(made["secret"])
    assert (answer.status, answer.code) == (403, "permission_denied")
    return None


async def patched(scene: Scene, who: str, key_id: str, **fields: Any) -> bool:
    answer = await ask(scene.app.app, "PATCH", f"/admin/keys/{key_id}", scene.headers[who], json.dumps(fields).encode())
    assert answer.status == 200 or (answer.status, answer.code) == (403, "permission_denied")
    return answer.status == 200


class Lists(NamedTuple):
    """Who makes a key; what the tenant has then, what is asked for the key, what the tenant has later, what is asked
    then."""

    who: str
    had: Entries
    asked: Entries
    later: Entries
    asked_later: Entries


def lists_of(field: str) -> st.SearchStrategy[Lists]:
    one = st.none() | st.lists(st.sampled_from(ENTRIES[field]), max_size=3, unique=True).map(tuple)
    of_tenant = one if field in TENANT_HAS else st.none()
    return st.builds(Lists, st.sampled_from(("owner", "admin")), of_tenant, one, of_tenant, one)


async def tried(scene: Scene, field: str, lists: Lists) -> None:
    tenants = scene.app.fakes.tenants

    async def tenant_has(entries: Entries) -> None:
        if field in TENANT_HAS:
            await tenants.update(ACTOR, A, msgspec.convert({field: entries}, TenantChange))

    try:
        await tenant_has(lists.had)
        made = await minted(scene, lists.who, **({} if lists.asked is None else {field: lists.asked}))
        if made is None:
            assert lists.asked is not None  # what inherits is never too much
            return
        key_id, secret = made
        mine = allowed_by(field, lists.asked)
        assert await allowed_to(scene, secret, field) == allowed_by(field, lists.had) & mine

        await tenant_has(lists.later)
        assert await allowed_to(scene, secret, field) == allowed_by(field, lists.later) & mine

        if await patched(scene, lists.who, key_id, **{field: lists.asked_later}):
            mine = allowed_by(field, lists.asked_later)
        assert await allowed_to(scene, secret, field) == allowed_by(field, lists.later) & mine
    finally:
        await scene.put_back()


@pytest.mark.parametrize("field", THINGS)
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_a_key_never_does_more_than_its_maker_may(scene: Scene, field: str, data: st.DataObject) -> None:
    asyncio.run(tried(scene, field, data.draw(lists_of(field))))


@pytest.mark.slow
@pytest.mark.parametrize("field", THINGS)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_a_key_never_does_more_than_its_maker_may_in_many_cases(scene: Scene, field: str, data: st.DataObject) -> None:
    asyncio.run(tried(scene, field, data.draw(lists_of(field))))


async def _viewer(scene: Scene, user: User) -> None:
    await scene.app.fakes.members.update(ACTOR, A, user.id, MemberChange(role="viewer"))


async def _removed(scene: Scene, user: User) -> None:
    await scene.app.fakes.members.remove(ACTOR, A, user.id)


async def _disabled(scene: Scene, user: User) -> None:
    await scene.app.fakes.users.update(ACTOR, user.id, UserChange(status="disabled"))


async def _suspended(scene: Scene, _: User) -> None:
    await scene.app.fakes.tenants.update(ACTOR, A, TenantChange(status="suspended"))


LOSSES = {"a viewer": _viewer, "removed": _removed, "disabled": _disabled, "suspended": _suspended}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("who", ["member", "admin"])
async def test_a_persons_key_ends_where_their_right_does(scene: Scene, who: str, loss: str) -> None:
    """Their own key at its next use; a service key is the tenant's, and stays unless that is suspended."""
    user = scene.users[who]
    try:
        own = await minted(scene, who, owner_id=user.id)
        service = await minted(scene, "owner")
        assert own is not None
        assert service is not None
        assert await allowed_to(scene, own[1], "allowed_models") == {*THINGS["allowed_models"]}

        await LOSSES[loss](scene, user)

        assert await allowed_to(scene, own[1], "allowed_models") == set()
        stays = set() if loss == "suspended" else {*THINGS["allowed_models"]}
        assert await allowed_to(scene, service[1], "allowed_models") == stays
    finally:
        await scene.put_back()
