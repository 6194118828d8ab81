"""`/me/keys`: one's own keys, in the tenants where one's role allows it."""

from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency

from application.own_account.keys import OwnKeys
from domain.ports.runtime import Clock
from entrypoints.http.admin.operations import (
    CHANGE_ERRORS,
    COMPLAINTS,
    FIRST_PAGE,
    ITEM_ERRORS,
    READ_ERRORS,
    WRITE_ERRORS,
    Cursor,
    KeyId,
    Limit,
    example,
)
from entrypoints.http.admin.virtual_keys import (
    KEY_EXAMPLE,
    KEY_EXAMPLE_WITH_SECRET,
    NewVirtualKeyBody,
    RotationBody,
    VirtualKeyChangeBody,
    VirtualKeyList,
    VirtualKeyResponse,
    VirtualKeyWithSecret,
    key_answer,
    key_with_secret,
)
from entrypoints.http.auth.people import ASKING, Person, require_person

_KEY = {200: example(KEY_EXAMPLE, "The key", VirtualKeyResponse)}
_WITH_SECRET = {200: example(KEY_EXAMPLE_WITH_SECRET, "The key with its new secret", VirtualKeyWithSecret)}


class OwnKeyController(Controller):
    path = "/me/keys"
    tags = ("Own account",)
    guards = (require_person,)
    dependencies = ASKING
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listOwnKeys",
        summary="List one's own keys",
        description="Newest first, revoked and expired ones too.",
        responses={
            200: example({"data": [KEY_EXAMPLE], "next_cursor": None}, "A page of keys", VirtualKeyList),
            **READ_ERRORS,
        },
    )
    @inject
    async def list_page(
        self,
        person: NamedDependency[Person],
        keys: FromDishka[OwnKeys],
        clock: FromDishka[Clock],
        limit: Limit = FIRST_PAGE,
        cursor: Cursor = None,
    ) -> VirtualKeyList:
        page = await keys.list_page(person.actor, limit, cursor)
        return VirtualKeyList(tuple(key_answer(key, clock.now()) for key in page.data), page.next_cursor)

    @post(
        operation_id="createOwnKey",
        summary="Create a key of one's own",
        description="In one's personal tenant, or in `tenant_id` where one is a member or more; never wider than one's "
        "own rights. The answer holds `secret`, this once.",
        responses={201: example(KEY_EXAMPLE_WITH_SECRET, "Created", VirtualKeyWithSecret)} | WRITE_ERRORS,
    )
    @inject
    async def create(
        self,
        person: NamedDependency[Person],
        data: NewVirtualKeyBody,
        keys: FromDishka[OwnKeys],
        clock: FromDishka[Clock],
    ) -> VirtualKeyWithSecret:
        return key_with_secret(*await keys.create(person.actor, person.user, data), clock.now())

    @get(
        "/{key_id:str}",
        operation_id="getOwnKey",
        summary="Get one of one's own keys",
        description="One key, without its secret.",
        responses=_KEY | ITEM_ERRORS,
    )
    @inject
    async def get_one(
        self, person: NamedDependency[Person], key_id: KeyId, keys: FromDishka[OwnKeys], clock: FromDishka[Clock]
    ) -> VirtualKeyResponse:
        return key_answer(await keys.get(person.actor, key_id), clock.now())

    @patch(
        "/{key_id:str}",
        operation_id="updateOwnKey",
        summary="Change one of one's own keys",
        description="Changes the fields that are sent; null lifts a restriction, up to one's own.",
        responses=_KEY | CHANGE_ERRORS,
    )
    @inject
    async def update(
        self,
        person: NamedDependency[Person],
        key_id: KeyId,
        data: VirtualKeyChangeBody,
        keys: FromDishka[OwnKeys],
        clock: FromDishka[Clock],
    ) -> VirtualKeyResponse:
        return key_answer(await keys.update(person.actor, key_id, data), clock.now())

    @delete(
        "/{key_id:str}",
        operation_id="deleteOwnKey",
        summary="Delete one of one's own keys",
        description="It ends at once, as if revoked, and is no longer listed.",
        responses=ITEM_ERRORS,
    )
    @inject
    async def remove(self, person: NamedDependency[Person], key_id: KeyId, keys: FromDishka[OwnKeys]) -> None:
        await keys.delete(person.actor, key_id)

    @post(
        "/{key_id:str}/rotate",
        status_code=200,
        operation_id="rotateOwnKey",
        summary="Give one of one's own keys a new secret",
        description="The old secret ends at once, or after `overlap_seconds`; the answer holds the new one, this once.",
        responses=_WITH_SECRET | CHANGE_ERRORS,
    )
    @inject
    async def rotate(
        self,
        person: NamedDependency[Person],
        key_id: KeyId,
        keys: FromDishka[OwnKeys],
        clock: FromDishka[Clock],
        data: RotationBody = None,
    ) -> VirtualKeyWithSecret:
        overlap_seconds = data.overlap_seconds if data is not None else 0
        return key_with_secret(*await keys.rotate(person.actor, key_id, overlap_seconds), clock.now())

    @post(
        "/{key_id:str}/revoke",
        status_code=200,
        operation_id="revokeOwnKey",
        summary="Revoke one of one's own keys",
        description="It ends for good: for the next request here, and within a second in every other process.",
        responses=_KEY | ITEM_ERRORS,
    )
    @inject
    async def revoke(
        self, person: NamedDependency[Person], key_id: KeyId, keys: FromDishka[OwnKeys], clock: FromDishka[Clock]
    ) -> VirtualKeyResponse:
        return key_answer(await keys.revoke(person.actor, key_id), clock.now())
