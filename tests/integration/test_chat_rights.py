"""What one may ask in the chat: what the tenant that pays allows, with the limits of all concerned (S-01)."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from application.admin.members import MemberChange, NewMember
from application.admin.tenants import NewTenant, TenantChange
from application.admin.users import UserChange
from domain.keys import Principal
from domain.limits import RateLimits
from tests.fakes.administration import ACTOR
from tests.fakes.pipeline import FakePipeline
from tests.integration.asgi_asking import Answer, ask
from tests.integration.authorization_scene import A, Scene

QUESTIONS: dict[str, dict[str, Any]] = {
    "/api/chat/submit": {"model": "m", "content": "hi"},
    "/api/chat/stream": {"model": "m", "content": "hi"},
    "/api/images/generate": {"model": "m", "prompt": "a cat"},
}


@pytest.fixture(scope="module")
def furnished() -> Iterator[Scene]:
    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(asyncio.run, Scene.make()).result()


@pytest.fixture
async def scene(furnished: Scene) -> AsyncIterator[Scene]:
    yield furnished
    await furnished.put_back()


async def say(scene: Scene, who: str, path: str = "/api/chat/submit", **more: Any) -> Answer:
    body = json.dumps(QUESTIONS[path] | more).encode()
    return await ask(scene.app.app, "POST", path, scene.headers[who], body)


def caller(scene: Scene) -> Principal:
    """As whom the last question went to the pipeline."""
    pipeline = scene.app.services.pipeline
    assert isinstance(pipeline, FakePipeline)
    return pipeline.calls[-1].principal


async def test_the_personal_tenant_pays_unless_another_is_named(scene: Scene) -> None:
    user = scene.users["member"]
    assert (await say(scene, "member")).status == 200
    assert (caller(scene).kind, caller(scene).key_id, caller(scene).user_id) == ("person", None, user.id)
    assert (caller(scene).tenant_id, caller(scene).personal) == (user.personal_tenant_id, True)

    assert (await say(scene, "member", tenant_id=A)).status == 200
    assert (caller(scene).tenant_id, caller(scene).personal) == (A, False)


async def test_lists_and_limits_of_tenant_member_and_user_apply(scene: Scene) -> None:
    fakes, user = scene.app.fakes, scene.users["member"]
    change = TenantChange(allowed_models=("a/*",), tags=("team",), limits=RateLimits(rpm=3))
    await fakes.tenants.update(ACTOR, A, change)
    await fakes.members.update(ACTOR, A, user.id, MemberChange(limits=RateLimits(rpm=2)))
    await fakes.users.update(ACTOR, user.id, UserChange(limits=RateLimits(rpm=1)))

    await say(scene, "member", tenant_id=A)

    principal = caller(scene)
    assert principal.grants is not None
    assert [principal.grants.allow(name, "m") for name in "ab"] == [True, False]
    assert [(rule.subject.kind, rule.limits.rpm) for rule in principal.rules] == [
        ("member", 2),
        ("user", 1),
        ("tenant", 3),
    ]
    assert principal.tags == ("team",)


@pytest.mark.parametrize("path", QUESTIONS)
@pytest.mark.parametrize(
    ("change", "code"),
    [
        (TenantChange(status="suspended"), "tenant_suspended"),
        (TenantChange(cidrs=("10.0.0.0/8",)), "address_not_allowed"),
        (TenantChange(cidrs=()), "address_not_allowed"),
    ],
)
async def test_a_tenant_that_is_closed_to_somebody_is_closed_in_the_chat_too(
    scene: Scene, path: str, change: TenantChange, code: str
) -> None:
    await scene.app.fakes.tenants.update(ACTOR, A, change)

    refused = await say(scene, "member", path, tenant_id=A)

    assert (refused.status, refused.code) == (403, code)
    assert len((await conversations(scene, "member"))["data"]) == 1  # the one that was there


async def conversations(scene: Scene, who: str) -> Any:
    return json.loads((await ask(scene.app.app, "GET", "/api/conversations", scene.headers[who])).body)


@pytest.mark.parametrize("who", ["viewer", "outsider", "auditor", "platform admin"])
async def test_nobody_spends_where_they_are_no_member(scene: Scene, who: str) -> None:
    """A tenant of others answers as one that is not there (S-04)."""
    answers = [await say(scene, who, tenant_id=tenant_id) for tenant_id in (A, scene.foreign_tenant, "ten_none")]

    assert {(answer.status, answer.code) for answer in answers} == {(403, "permission_denied")}
    assert len({answer.without("")[2] for answer in answers}) == 1


async def test_without_a_personal_tenant_the_only_other_one_pays_or_it_has_to_be_said(scene: Scene) -> None:
    """`OMG_PERSONAL_TENANTS` of false. The default tenant is nobody's who is not in it."""
    fakes = scene.app.fakes
    for who in ("member", "outsider"):
        user = scene.users[who]
        async with fakes.store.write() as unit:
            await unit.memberships.delete(user.personal_tenant_id or "", user.id)
            await unit.users.update(msgspec.structs.replace(user, personal_tenant_id=None))
    assert (await say(scene, "member")).status == 200
    assert caller(scene).tenant_id == A

    another = await fakes.tenants.create(ACTOR, NewTenant(name="Another"))
    await fakes.members.add(ACTOR, another.id, NewMember(user_id=scene.users["member"].id))
    for who in ("member", "outsider"):
        answer = await say(scene, who)
        assert (answer.status, json.loads(answer.body)["error"]["param"]) == (400, "tenant_id")
    assert (await say(scene, "member", tenant_id=another.id)).status == 200


async def test_the_models_one_may_use_are_those_of_the_tenant_that_would_pay(scene: Scene) -> None:
    await scene.app.fakes.tenants.update(ACTOR, A, TenantChange(allowed_models=()))

    own = await ask(scene.app.app, "GET", "/api/models", scene.headers["member"])
    shared = await ask(scene.app.app, "GET", f"/api/models?tenant_id={A}", scene.headers["member"])
    foreign = await ask(scene.app.app, "GET", "/api/models?tenant_id=ten_none", scene.headers["member"])

    assert json.loads(own.body)["data"] != []
    assert json.loads(shared.body)["data"] == []
    assert (foreign.status, foreign.code) == (403, "permission_denied")
