"""`/admin/providers/{id}/keys`: the credentials a provider is asked with. Secrets go in and never come out (S-25)."""

from datetime import datetime
from typing import Annotated

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg
from msgspec import UNSET, Meta, UnsetType
from typing_extensions import override

from application.admin.provider_keys import ProviderKeyAdmin, ProviderKeyView
from application.configuration.new_providers import MAX_SECRET_LENGTH, KeyLabel, KeyWeight
from domain.actors import Actor
from domain.availability import ProviderStatus
from domain.providers import Owner
from domain.quotas import Quotas
from domain.secrets import Secret
from entrypoints.http.admin.free_tiers import QUOTA_EXAMPLE, QuotaStandingResponse, quota_answers
from entrypoints.http.admin.operations import (
    CHANGE_ERRORS,
    COMPLAINTS,
    DELETE_ERRORS,
    FIRST_PAGE,
    ITEM_ERRORS,
    WRITE_ERRORS,
    Cursor,
    KeyId,
    Limit,
    ProviderId,
    example,
)
from entrypoints.http.authorization import ACTING, require_admin

SecretText = Annotated[str, Meta(min_length=1, max_length=MAX_SECRET_LENGTH, extra_json_schema={"writeOnly": True})]


class NewProviderKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A key to store. Calls are shared among a provider's keys by `weight`. The secret is never shown again.

    `quota` is what its account gives; null: what is known of free accounts there, none: no limit that is known.
    """

    secret: SecretText
    label: KeyLabel = ""
    weight: KeyWeight = 1
    quota: Quotas | None = None

    @override
    def __repr__(self) -> str:
        return f"NewProviderKey(label={self.label!r}, weight={self.weight})"


class ProviderKeyChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Fields to change: what is absent stays."""

    secret: SecretText | UnsetType = UNSET
    label: KeyLabel | UnsetType = UNSET
    weight: KeyWeight | UnsetType = UNSET
    quota: Quotas | UnsetType | None = UNSET

    @override
    def __repr__(self) -> str:
        return f"ProviderKeyChange(label={self.label!r}, weight={self.weight})"


class RestingModel(msgspec.Struct, frozen=True):
    """A model that is not asked for with this key now. `available_at` of null: until someone retries the key."""

    model: str
    status: ProviderStatus
    available_at: datetime | None
    reason: str


class ProviderKeyResponse(msgspec.Struct, frozen=True):
    """A provider key. `last4` and `fingerprint` tell secrets apart and give none away.

    `status` is the key's own; a limit of one model is in `resting_models`, and leaves the others. `quotas` is what is
    left of each quota, by whoever says so; `quota` what an admin wrote.
    """

    id: str
    provider_id: str
    label: str
    weight: int
    owner: Owner
    read_only: bool
    last4: str
    fingerprint: str
    status: ProviderStatus
    available_at: datetime | None
    reason: str
    resting_models: tuple[RestingModel, ...]
    quota: Quotas | None
    quotas: tuple[QuotaStandingResponse, ...]
    created_at: datetime
    updated_at: datetime


class ProviderKeyList(msgspec.Struct, frozen=True):
    """Declared ones first, then oldest first."""

    data: tuple[ProviderKeyResponse, ...]
    next_cursor: str | None


_EXAMPLE = {
    "id": "pk_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "provider_id": "openrouter",
    "label": "free tier",
    "weight": 1,
    "owner": "database",
    "read_only": False,
    "last4": "9f2c",
    "fingerprint": "5b1c0d9a7e34",
    "status": "available",
    "available_at": None,
    "reason": "",
    "resting_models": [],
    "quota": None,
    "quotas": [QUOTA_EXAMPLE],
    "created_at": "2026-11-21T11:58:00Z",
    "updated_at": "2026-11-21T11:58:00Z",
}
_NEW = {"label": "free tier", "secret": "<the provider's key>", "weight": 1}

NewProviderKeyBody = Annotated[NewProviderKey, BodyKwarg(examples=[Example(summary="A key", value=_NEW)])]
ProviderKeyChangeBody = Annotated[
    ProviderKeyChange, BodyKwarg(examples=[Example(summary="A new secret", value={"secret": "<the new key>"})])
]


class ProviderKeyController(Controller):
    path = "/admin/providers/{provider_id:str}/keys"
    tags = ("Provider keys",)
    guards = (require_admin,)
    dependencies = ACTING
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listProviderKeys",
        summary="List a provider's keys",
        description="Every key with its status; of the secret only its last four characters and a fingerprint.",
        responses={
            200: example({"data": [_EXAMPLE], "next_cursor": None}, "A page of keys", ProviderKeyList),
            **ITEM_ERRORS,
        },
    )
    @inject
    async def list_page(
        self,
        provider_id: ProviderId,
        keys: FromDishka[ProviderKeyAdmin],
        limit: Limit = FIRST_PAGE,
        cursor: Cursor = None,
    ) -> ProviderKeyList:
        page = await keys.list_page(provider_id, limit, cursor)
        return ProviderKeyList(tuple(_answer(view) for view in page.data), page.next_cursor)

    @post(
        operation_id="addProviderKey",
        summary="Add a key to a provider",
        description="The secret is stored encrypted and never shown again. A declared provider takes further keys too.",
        responses=WRITE_ERRORS | {201: example(_EXAMPLE, "Added", ProviderKeyResponse), 404: ITEM_ERRORS[404]},
    )
    @inject
    async def add(
        self,
        actor: NamedDependency[Actor],
        provider_id: ProviderId,
        data: NewProviderKeyBody,
        keys: FromDishka[ProviderKeyAdmin],
    ) -> ProviderKeyResponse:
        secret = Secret(data.secret)
        return _answer(
            await keys.add(actor, provider_id, secret=secret, label=data.label, weight=data.weight, quota=data.quota)
        )

    @get(
        "/{key_id:str}",
        operation_id="getProviderKey",
        summary="Get a provider key",
        description="One key with its status.",
        responses={200: example(_EXAMPLE, "The key", ProviderKeyResponse), **ITEM_ERRORS},
    )
    @inject
    async def get_one(
        self, provider_id: ProviderId, key_id: KeyId, keys: FromDishka[ProviderKeyAdmin]
    ) -> ProviderKeyResponse:
        return _answer(await keys.get(provider_id, key_id))

    @patch(
        "/{key_id:str}",
        operation_id="updateProviderKey",
        summary="Change a provider key",
        description="Changes the fields that are sent. A new secret is available at once, whatever the old one was.",
        responses={200: example(_EXAMPLE, "Changed", ProviderKeyResponse), **CHANGE_ERRORS},
    )
    @inject
    async def update(
        self,
        actor: NamedDependency[Actor],
        provider_id: ProviderId,
        key_id: KeyId,
        data: ProviderKeyChangeBody,
        keys: FromDishka[ProviderKeyAdmin],
    ) -> ProviderKeyResponse:
        secret = UNSET if data.secret is UNSET else Secret(data.secret)
        return _answer(
            await keys.update(
                actor, provider_id, key_id, secret=secret, label=data.label, weight=data.weight, quota=data.quota
            )
        )

    @delete(
        "/{key_id:str}",
        operation_id="deleteProviderKey",
        summary="Delete a provider key",
        description="The next request does not use it; requests under way finish.",
        responses=DELETE_ERRORS,
    )
    @inject
    async def remove(
        self, actor: NamedDependency[Actor], provider_id: ProviderId, key_id: KeyId, keys: FromDishka[ProviderKeyAdmin]
    ) -> None:
        await keys.delete(actor, provider_id, key_id)

    @post(
        "/{key_id:str}/retry",
        status_code=200,
        operation_id="retryProviderKey",
        summary="Ask with a key again",
        description="The key may be used from now on, whatever it last was: rate limited, exhausted or refused.",
        responses={200: example(_EXAMPLE, "The key, available again", ProviderKeyResponse), **ITEM_ERRORS},
    )
    @inject
    async def retry(
        self, actor: NamedDependency[Actor], provider_id: ProviderId, key_id: KeyId, keys: FromDishka[ProviderKeyAdmin]
    ) -> ProviderKeyResponse:
        return _answer(await keys.retry(actor, provider_id, key_id))


def _answer(view: ProviderKeyView) -> ProviderKeyResponse:
    key, standing = view.key, view.standing
    return ProviderKeyResponse(
        id=key.id,
        provider_id=key.provider_id,
        label=key.label,
        weight=key.weight,
        owner=key.owner,
        read_only=key.owner != "database",
        last4=key.secret.last4,
        fingerprint=key.secret.fingerprint,
        status=standing.status,
        available_at=standing.available_at,
        reason=standing.reason,
        resting_models=tuple(
            RestingModel(state.model, ProviderStatus(state.condition.value), state.until, state.reason)
            for state in view.resting_models
        ),
        quota=key.quota,
        quotas=quota_answers(view.quotas),
        created_at=key.created_at,
        updated_at=key.updated_at,
    )
