"""`/admin/tokens`: further admin tokens, for automation. A secret is shown once, when it is made."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg, PathParameter

from application.admin.admin_tokens import AdminTokenAdmin, AdminTokenChange, NewAdminToken
from domain.actors import Actor
from domain.admin_tokens import AdminToken
from domain.ports.runtime import Clock
from entrypoints.http.admin.operations import (
    CHANGE_ERRORS,
    COMPLAINTS,
    FIRST_PAGE,
    ITEM_ERRORS,
    READ_ERRORS,
    WRITE_ERRORS,
    Cursor,
    Limit,
    example,
)
from entrypoints.http.admin.virtual_keys import FINGERPRINT_LENGTH
from entrypoints.http.authorization import ACTING, require_admin

TokenId = Annotated[str, PathParameter(description="The id of an admin token")]


class AdminTokenResponse(msgspec.Struct, frozen=True):
    """An admin token, without its secret."""

    id: str
    name: str
    status: Literal["active", "expired"]
    scopes: tuple[str, ...]
    last4: str
    fingerprint: str
    expires_at: datetime | None
    created_at: datetime
    updated_at: datetime


class AdminTokenWithSecret(AdminTokenResponse, frozen=True, kw_only=True):
    """The same with its secret, this once."""

    secret: str


class AdminTokenList(msgspec.Struct, frozen=True):
    """Newest first."""

    data: tuple[AdminTokenResponse, ...]
    next_cursor: str | None


_EXAMPLE = {
    "id": "tok_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "name": "terraform",
    "status": "active",
    "scopes": ["tenant:ten_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f", "usage"],
    "last4": "Qx7a",
    "fingerprint": "8d1f0c77ab3e",
    "expires_at": "2027-11-30T00:00:00Z",
    "created_at": "2026-11-30T11:58:00Z",
    "updated_at": "2026-11-30T11:58:00Z",
}
_WITH_SECRET = _EXAMPLE | {"secret": "omg-admin-…"}
_NEW = {"name": "FinOps", "scopes": ["usage"], "expires_at": "2027-11-30T00:00:00Z"}

NewAdminTokenBody = Annotated[NewAdminToken, BodyKwarg(examples=[Example(summary="For usage", value=_NEW)])]
AdminTokenChangeBody = Annotated[
    AdminTokenChange, BodyKwarg(examples=[Example(summary="Fewer scopes", value={"scopes": ["read"]})])
]


class AdminTokenController(Controller):
    path = "/admin/tokens"
    tags = ("Admin tokens",)
    guards = (require_admin,)
    dependencies = ACTING
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listAdminTokens",
        summary="List admin tokens",
        description="Newest first, expired ones too. The one of `OMG_ADMIN_TOKEN` is not among them.",
        responses={
            200: example({"data": [_EXAMPLE], "next_cursor": None}, "A page of tokens", AdminTokenList),
            **READ_ERRORS,
        },
    )
    @inject
    async def list_page(
        self,
        tokens: FromDishka[AdminTokenAdmin],
        clock: FromDishka[Clock],
        limit: Limit = FIRST_PAGE,
        cursor: Cursor = None,
    ) -> AdminTokenList:
        page = await tokens.list_page(limit, cursor)
        return AdminTokenList(tuple(_answer(token, clock.now()) for token in page.data), page.next_cursor)

    @post(
        operation_id="createAdminToken",
        summary="Create an admin token",
        description="The answer holds `secret`, this once: the gateway keeps only a digest of it.",
        responses={201: example(_WITH_SECRET, "Created", AdminTokenWithSecret)} | WRITE_ERRORS,
    )
    @inject
    async def create(
        self,
        actor: NamedDependency[Actor],
        data: NewAdminTokenBody,
        tokens: FromDishka[AdminTokenAdmin],
        clock: FromDishka[Clock],
    ) -> AdminTokenWithSecret:
        token, secret = await tokens.create(actor, data)
        return AdminTokenWithSecret(**msgspec.structs.asdict(_answer(token, clock.now())), secret=secret.reveal())

    @get(
        "/{token_id:str}",
        operation_id="getAdminToken",
        summary="Get an admin token",
        description="One token, without its secret.",
        responses={200: example(_EXAMPLE, "The token", AdminTokenResponse), **ITEM_ERRORS},
    )
    @inject
    async def get_one(
        self, token_id: TokenId, tokens: FromDishka[AdminTokenAdmin], clock: FromDishka[Clock]
    ) -> AdminTokenResponse:
        return _answer(await tokens.get(token_id), clock.now())

    @patch(
        "/{token_id:str}",
        operation_id="updateAdminToken",
        summary="Change an admin token",
        description="Changes the fields that are sent. In force for the next request.",
        responses={200: example(_EXAMPLE, "Changed", AdminTokenResponse), **CHANGE_ERRORS},
    )
    @inject
    async def update(
        self,
        actor: NamedDependency[Actor],
        token_id: TokenId,
        data: AdminTokenChangeBody,
        tokens: FromDishka[AdminTokenAdmin],
        clock: FromDishka[Clock],
    ) -> AdminTokenResponse:
        return _answer(await tokens.update(actor, token_id, data), clock.now())

    @delete(
        "/{token_id:str}",
        operation_id="deleteAdminToken",
        summary="Delete an admin token",
        description="It ends for the next request, here and in every other process.",
        responses=ITEM_ERRORS,
    )
    @inject
    async def remove(
        self, actor: NamedDependency[Actor], token_id: TokenId, tokens: FromDishka[AdminTokenAdmin]
    ) -> None:
        await tokens.delete(actor, token_id)


def _answer(token: AdminToken, now: datetime) -> AdminTokenResponse:
    return AdminTokenResponse(
        id=token.id,
        name=token.name,
        status="expired" if token.expires_at is not None and token.expires_at <= now else "active",
        scopes=token.scopes,
        last4=token.last4,
        fingerprint=token.digest.hex()[:FINGERPRINT_LENGTH],
        expires_at=token.expires_at,
        created_at=token.created_at,
        updated_at=token.updated_at,
    )
