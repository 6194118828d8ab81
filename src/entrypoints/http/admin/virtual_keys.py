"""`/admin/keys`: the keys clients call with. A secret is shown once, when it is made."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, delete, get, patch, post
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg

from application.admin.virtual_keys import NewVirtualKey, VirtualKeyAdmin, VirtualKeyChange
from domain.keys import VirtualKey
from domain.ports.runtime import Clock
from domain.secrets import Secret
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
from entrypoints.http.authorization import require_admin

FINGERPRINT_LENGTH = 12


class VirtualKeyAnswer(msgspec.Struct, frozen=True):
    """A virtual key. Grants of null mean all. `fingerprint` changes with the secret."""

    id: str
    name: str
    tenant_id: str
    status: Literal["active", "expired", "revoked"]
    last4: str
    fingerprint: str
    allowed_models: tuple[str, ...] | None
    allowed_providers: tuple[str, ...] | None
    expires_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime
    updated_at: datetime
    strict: bool  # refuses what would be dropped


class VirtualKeyWithSecret(VirtualKeyAnswer, frozen=True, kw_only=True):
    """The same with its secret, this once."""

    secret: str


class VirtualKeyList(msgspec.Struct, frozen=True):
    """Newest first."""

    data: tuple[VirtualKeyAnswer, ...]
    next_cursor: str | None


_EXAMPLE = {
    "id": "key_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "name": "notebook",
    "tenant_id": "ten_default",
    "status": "active",
    "last4": "Qx7a",
    "fingerprint": "8d1f0c77ab3e",
    "allowed_models": ["cerebras/*"],
    "allowed_providers": None,
    "expires_at": "2027-01-01T00:00:00Z",
    "revoked_at": None,
    "created_at": "2026-11-21T11:58:00Z",
    "updated_at": "2026-11-21T11:58:00Z",
    "strict": False,
}
_WITH_SECRET = _EXAMPLE | {"secret": "sk-omg-…"}
_NEW = {"name": "notebook", "allowed_models": ["cerebras/*"], "expires_at": "2027-01-01T00:00:00Z"}

NewVirtualKeyBody = Annotated[NewVirtualKey, BodyKwarg(examples=[Example(summary="A key", value=_NEW)])]
VirtualKeyChangeBody = Annotated[
    VirtualKeyChange, BodyKwarg(examples=[Example(summary="Never expires", value={"expires_at": None})])
]


class VirtualKeyController(Controller):
    path = "/admin/keys"
    tags = ("Virtual keys",)
    guards = (require_admin,)
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listVirtualKeys",
        summary="List virtual keys",
        description="Newest first, revoked and expired ones too.",
        responses={
            200: example({"data": [_EXAMPLE], "next_cursor": None}, "A page of keys", VirtualKeyList),
            **READ_ERRORS,
        },
    )
    @inject
    async def list_page(
        self,
        keys: FromDishka[VirtualKeyAdmin],
        clock: FromDishka[Clock],
        limit: Limit = FIRST_PAGE,
        cursor: Cursor = None,
    ) -> VirtualKeyList:
        page = await keys.list_page(limit, cursor)
        return VirtualKeyList(tuple(_answer(key, clock.now()) for key in page.data), page.next_cursor)

    @post(
        operation_id="createVirtualKey",
        summary="Create a virtual key",
        description="The answer holds `secret`, this once: the gateway keeps only a digest of it.",
        responses={201: example(_WITH_SECRET, "Created", VirtualKeyWithSecret)} | WRITE_ERRORS,
    )
    @inject
    async def create(
        self, data: NewVirtualKeyBody, keys: FromDishka[VirtualKeyAdmin], clock: FromDishka[Clock]
    ) -> VirtualKeyWithSecret:
        return _with_secret(*await keys.create(data), clock.now())

    @get(
        "/{key_id:str}",
        operation_id="getVirtualKey",
        summary="Get a virtual key",
        description="One key, without its secret.",
        responses={200: example(_EXAMPLE, "The key", VirtualKeyAnswer), **ITEM_ERRORS},
    )
    @inject
    async def get_one(
        self, key_id: KeyId, keys: FromDishka[VirtualKeyAdmin], clock: FromDishka[Clock]
    ) -> VirtualKeyAnswer:
        return _answer(await keys.get(key_id), clock.now())

    @patch(
        "/{key_id:str}",
        operation_id="updateVirtualKey",
        summary="Change a virtual key",
        description="Changes the fields that are sent; null lifts a restriction. In force for the next request.",
        responses={200: example(_EXAMPLE | {"expires_at": None}, "Changed", VirtualKeyAnswer), **CHANGE_ERRORS},
    )
    @inject
    async def update(
        self,
        key_id: KeyId,
        data: VirtualKeyChangeBody,
        keys: FromDishka[VirtualKeyAdmin],
        clock: FromDishka[Clock],
    ) -> VirtualKeyAnswer:
        return _answer(await keys.update(key_id, data), clock.now())

    @delete(
        "/{key_id:str}",
        operation_id="deleteVirtualKey",
        summary="Delete a virtual key",
        description="It ends at once, as if revoked, and is no longer listed.",
        responses=ITEM_ERRORS,
    )
    @inject
    async def remove(self, key_id: KeyId, keys: FromDishka[VirtualKeyAdmin]) -> None:
        await keys.delete(key_id)

    @post(
        "/{key_id:str}/rotate",
        status_code=200,
        operation_id="rotateVirtualKey",
        summary="Give a virtual key a new secret",
        description="The old secret ends at once; the answer holds the new one, this once. Everything else stays.",
        responses={200: example(_WITH_SECRET, "The key with its new secret", VirtualKeyWithSecret), **CHANGE_ERRORS},
    )
    @inject
    async def rotate(
        self, key_id: KeyId, keys: FromDishka[VirtualKeyAdmin], clock: FromDishka[Clock]
    ) -> VirtualKeyWithSecret:
        return _with_secret(*await keys.rotate(key_id), clock.now())

    @post(
        "/{key_id:str}/revoke",
        status_code=200,
        operation_id="revokeVirtualKey",
        summary="Revoke a virtual key",
        description="It ends for good: for the next request here, and within a second in every other process.",
        responses={
            200: example(
                _EXAMPLE | {"status": "revoked", "revoked_at": "2026-11-21T12:00:00Z"}, "Revoked", VirtualKeyAnswer
            ),
            **ITEM_ERRORS,
        },
    )
    @inject
    async def revoke(
        self, key_id: KeyId, keys: FromDishka[VirtualKeyAdmin], clock: FromDishka[Clock]
    ) -> VirtualKeyAnswer:
        return _answer(await keys.revoke(key_id), clock.now())


def _answer(key: VirtualKey, now: datetime) -> VirtualKeyAnswer:
    return VirtualKeyAnswer(
        id=key.id,
        name=key.name,
        tenant_id=key.tenant_id,
        status=_status(key, now),
        last4=key.last4,
        fingerprint=key.digest.hex()[:FINGERPRINT_LENGTH],
        allowed_models=key.allowed_models,
        allowed_providers=key.allowed_providers,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        created_at=key.created_at,
        updated_at=key.updated_at,
        strict=key.strict,
    )


def _with_secret(key: VirtualKey, secret: Secret, now: datetime) -> VirtualKeyWithSecret:
    return VirtualKeyWithSecret(**msgspec.structs.asdict(_answer(key, now)), secret=secret.reveal())


def _status(key: VirtualKey, now: datetime) -> Literal["active", "expired", "revoked"]:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= now else "active"
