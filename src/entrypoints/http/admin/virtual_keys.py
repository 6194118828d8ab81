"""`/admin/keys`: the keys clients call with. A secret is shown once, when it is made."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg

from application.admin.virtual_keys import MAX_OVERLAP_SECONDS, NewVirtualKey, VirtualKeyAdmin, VirtualKeyChange
from domain.actors import Actor
from domain.grants import Scope
from domain.keys import VirtualKey
from domain.limits import Budget, RateLimits
from domain.ports.runtime import Clock
from domain.providers import Owner
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
    Search,
    example,
)
from entrypoints.http.authorization import ACTING, require_admin
from entrypoints.http.owners import owner_of

FINGERPRINT_LENGTH = 12


class VirtualKeyResponse(msgspec.Struct, frozen=True):
    """A virtual key. Grants of null inherit what the tenant allows. `fingerprint` changes with the secret.

    `previous_until` says until when the secret before the last rotation works. `last_used_at` is seconds late.
    """

    id: str
    name: str
    tenant_id: str
    owner_id: str | None
    status: Literal["active", "expired", "revoked"]
    last4: str
    fingerprint: str
    allowed_models: tuple[str, ...] | None
    allowed_providers: tuple[str, ...] | None
    allowed_endpoints: tuple[str, ...] | None
    scopes: tuple[Scope, ...] | None
    cidrs: tuple[str, ...] | None
    tags: tuple[str, ...]
    metadata: dict[str, str]
    expires_at: datetime | None
    revoked_at: datetime | None
    previous_until: datetime | None
    last_used_at: datetime | None
    created_at: datetime
    updated_at: datetime
    strict: bool  # refuses what would be dropped
    limits: RateLimits
    budgets: tuple[Budget, ...]
    owner: Owner = "database"


class VirtualKeyWithSecret(VirtualKeyResponse, frozen=True, kw_only=True):
    """The same with its secret, this once."""

    secret: str


class VirtualKeyList(msgspec.Struct, frozen=True):
    """Newest first."""

    data: tuple[VirtualKeyResponse, ...]
    next_cursor: str | None


KEY_EXAMPLE = {
    "id": "key_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "name": "notebook",
    "tenant_id": "ten_default",
    "owner_id": None,
    "status": "active",
    "last4": "Qx7a",
    "fingerprint": "8d1f0c77ab3e",
    "allowed_models": ["cerebras/*"],
    "allowed_providers": None,
    "allowed_endpoints": None,
    "scopes": ["inference"],
    "cidrs": None,
    "tags": ["team:research"],
    "metadata": {"ticket": "42"},
    "expires_at": "2027-01-01T00:00:00Z",
    "revoked_at": None,
    "previous_until": None,
    "last_used_at": "2026-11-30T11:58:00Z",
    "created_at": "2026-11-21T11:58:00Z",
    "updated_at": "2026-11-21T11:58:00Z",
    "strict": False,
    "limits": {"rpm": 60, "rpd": None, "tpm": 100000, "tpd": None, "itpm": None, "otpm": None, "parallel": 4},
    "budgets": [],
}
KEY_EXAMPLE_WITH_SECRET = KEY_EXAMPLE | {"secret": "sk-omg-…"}
_NEW = {
    "name": "notebook",
    "allowed_models": ["cerebras/*"],
    "expires_at": "2027-01-01T00:00:00Z",
    "limits": {"rpm": 60, "tpm": 100000, "parallel": 4},
}

NewVirtualKeyBody = Annotated[NewVirtualKey, BodyKwarg(examples=[Example(summary="A key", value=_NEW)])]
VirtualKeyChangeBody = Annotated[
    VirtualKeyChange, BodyKwarg(examples=[Example(summary="Never expires", value={"expires_at": None})])
]


class Rotation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long the old secret goes on beside the new one; at most 30 days."""

    overlap_seconds: Annotated[int, msgspec.Meta(ge=0, le=MAX_OVERLAP_SECONDS)] = 0


RotationBody = Annotated[
    Rotation | None, BodyKwarg(examples=[Example(summary="An hour's overlap", value={"overlap_seconds": 3600})])
]


class VirtualKeyController(Controller):
    path = "/admin/keys"
    tags = ("Virtual keys",)
    guards = (require_admin,)
    dependencies = ACTING
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listVirtualKeys",
        summary="List virtual keys",
        description="Newest first, revoked and expired ones too.",
        responses={
            200: example({"data": [KEY_EXAMPLE], "next_cursor": None}, "A page of keys", VirtualKeyList),
            **READ_ERRORS,
        },
    )
    @inject
    async def list_page(
        self,
        actor: NamedDependency[Actor],
        keys: FromDishka[VirtualKeyAdmin],
        clock: FromDishka[Clock],
        limit: Limit = FIRST_PAGE,
        cursor: Cursor = None,
        words: Search = None,
    ) -> VirtualKeyList:
        page = await keys.list_page(actor, limit, cursor, query=words)
        return VirtualKeyList(tuple(key_answer(key, clock.now()) for key in page.data), page.next_cursor)

    @post(
        operation_id="createVirtualKey",
        summary="Create a virtual key",
        description="The answer holds `secret`, this once: the gateway keeps only a digest of it.",
        responses={201: example(KEY_EXAMPLE_WITH_SECRET, "Created", VirtualKeyWithSecret)} | WRITE_ERRORS,
    )
    @inject
    async def create(
        self,
        actor: NamedDependency[Actor],
        data: NewVirtualKeyBody,
        keys: FromDishka[VirtualKeyAdmin],
        clock: FromDishka[Clock],
    ) -> VirtualKeyWithSecret:
        return key_with_secret(*await keys.create(actor, data), clock.now())

    @get(
        "/{key_id:str}",
        operation_id="getVirtualKey",
        summary="Get a virtual key",
        description="One key, without its secret.",
        responses={200: example(KEY_EXAMPLE, "The key", VirtualKeyResponse), **ITEM_ERRORS},
    )
    @inject
    async def get_one(
        self, actor: NamedDependency[Actor], key_id: KeyId, keys: FromDishka[VirtualKeyAdmin], clock: FromDishka[Clock]
    ) -> VirtualKeyResponse:
        return key_answer(await keys.get(actor, key_id), clock.now())

    @patch(
        "/{key_id:str}",
        operation_id="updateVirtualKey",
        summary="Change a virtual key",
        description="Changes the fields that are sent; null lifts a restriction. In force for the next request.",
        responses={200: example(KEY_EXAMPLE | {"expires_at": None}, "Changed", VirtualKeyResponse), **CHANGE_ERRORS},
    )
    @inject
    async def update(
        self,
        actor: NamedDependency[Actor],
        key_id: KeyId,
        data: VirtualKeyChangeBody,
        keys: FromDishka[VirtualKeyAdmin],
        clock: FromDishka[Clock],
    ) -> VirtualKeyResponse:
        return key_answer(await keys.update(actor, key_id, data), clock.now())

    @delete(
        "/{key_id:str}",
        operation_id="deleteVirtualKey",
        summary="Delete a virtual key",
        description="It ends at once, as if revoked, and is no longer listed.",
        responses=ITEM_ERRORS,
    )
    @inject
    async def remove(self, actor: NamedDependency[Actor], key_id: KeyId, keys: FromDishka[VirtualKeyAdmin]) -> None:
        await keys.delete(actor, key_id)

    @post(
        "/{key_id:str}/rotate",
        status_code=200,
        operation_id="rotateVirtualKey",
        summary="Give a virtual key a new secret",
        description="The old secret ends at once, or after `overlap_seconds`; the answer holds the new one, this once.",
        responses={
            200: example(KEY_EXAMPLE_WITH_SECRET, "The key with its new secret", VirtualKeyWithSecret),
            **CHANGE_ERRORS,
        },
    )
    @inject
    async def rotate(
        self,
        actor: NamedDependency[Actor],
        key_id: KeyId,
        keys: FromDishka[VirtualKeyAdmin],
        clock: FromDishka[Clock],
        data: RotationBody = None,
    ) -> VirtualKeyWithSecret:
        overlap_seconds = data.overlap_seconds if data is not None else 0
        return key_with_secret(*await keys.rotate(actor, key_id, overlap_seconds), clock.now())

    @post(
        "/{key_id:str}/revoke",
        status_code=200,
        operation_id="revokeVirtualKey",
        summary="Revoke a virtual key",
        description="It ends for good: for the next request here, and within a second in every other process.",
        responses={
            200: example(
                KEY_EXAMPLE | {"status": "revoked", "revoked_at": "2026-11-21T12:00:00Z"}, "Revoked", VirtualKeyResponse
            ),
            **ITEM_ERRORS,
        },
    )
    @inject
    async def revoke(
        self, actor: NamedDependency[Actor], key_id: KeyId, keys: FromDishka[VirtualKeyAdmin], clock: FromDishka[Clock]
    ) -> VirtualKeyResponse:
        return key_answer(await keys.revoke(actor, key_id), clock.now())


def key_answer(key: VirtualKey, now: datetime) -> VirtualKeyResponse:
    return VirtualKeyResponse(
        id=key.id,
        name=key.name,
        tenant_id=key.tenant_id,
        owner_id=key.owner_id,
        status=_status(key, now),
        last4=key.last4,
        fingerprint=key.digest.hex()[:FINGERPRINT_LENGTH],
        allowed_models=key.allowed_models,
        allowed_providers=key.allowed_providers,
        allowed_endpoints=key.allowed_endpoints,
        scopes=key.scopes,
        cidrs=key.cidrs,
        tags=key.tags,
        metadata=key.metadata,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        previous_until=key.previous_until if key.previous_until is not None and key.previous_until > now else None,
        last_used_at=key.last_used_at,
        created_at=key.created_at,
        updated_at=key.updated_at,
        strict=key.strict,
        limits=key.limits,
        budgets=key.budgets,
        owner=owner_of("virtual_key", key.id),
    )


def key_with_secret(key: VirtualKey, secret: Secret, now: datetime) -> VirtualKeyWithSecret:
    return VirtualKeyWithSecret(**msgspec.structs.asdict(key_answer(key, now)), secret=secret.reveal())


def _status(key: VirtualKey, now: datetime) -> Literal["active", "expired", "revoked"]:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= now else "active"
