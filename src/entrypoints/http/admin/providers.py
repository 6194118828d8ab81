"""`/admin/providers`: who serves models, where, and how they are."""

from datetime import datetime
from typing import Annotated

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg

from application.admin.provider_changes import ProviderChange
from application.admin.provider_check import ProviderCheck, ProviderCheckResult
from application.admin.providers import ProviderAdmin, ProviderView
from application.configuration.new_providers import NewProvider
from domain.actors import Actor
from domain.availability import ProviderStatus
from domain.providers import Owner, ProviderSettings
from entrypoints.http.admin.free_tiers import EXAMPLE as FREE_TIER_EXAMPLE
from entrypoints.http.admin.free_tiers import (
    QUOTA_EXAMPLE,
    FreeTierResponse,
    QuotaStandingResponse,
    free_tier_answer,
    quota_answers,
)
from entrypoints.http.admin.operations import (
    CHANGE_ERRORS,
    COMPLAINTS,
    DELETE_ERRORS,
    FIRST_PAGE,
    ITEM_ERRORS,
    READ_ERRORS,
    WRITE_ERRORS,
    Cursor,
    Limit,
    ProviderId,
    Search,
    example,
)
from entrypoints.http.authorization import ACTING, require_admin


class ProviderResponse(msgspec.Struct, frozen=True):
    """A provider. `available_at` says when a wait ends, where that is known; `reason` why there is one.

    `read_only` ones are declared by their `owner` and changed there. `keys` counts the keys. `free_tier` is what its
    provider gives away, null where nothing is known of it; `quotas` what is left of that and of others, of all keys
    together.
    """

    id: str
    kind: str
    name: str
    base_url: str | None
    priority: int
    enabled: bool
    settings: ProviderSettings
    owner: Owner
    read_only: bool
    status: ProviderStatus
    available_at: datetime | None
    reason: str
    capabilities: tuple[str, ...]
    keys: int
    free_tier: FreeTierResponse | None
    quotas: tuple[QuotaStandingResponse, ...]
    notice: str | None
    created_at: datetime
    updated_at: datetime


class ProviderList(msgspec.Struct, frozen=True):
    """By priority."""

    data: tuple[ProviderResponse, ...]
    next_cursor: str | None


_EXAMPLE = {
    "id": "openrouter",
    "kind": "openai",
    "name": "OpenRouter",
    "base_url": "https://openrouter.ai/api/v1",
    "priority": 20,
    "enabled": True,
    "settings": {},
    "owner": "database",
    "read_only": False,
    "status": "rate_limited",
    "available_at": "2026-11-21T12:00:30Z",
    "reason": "Rate limit exceeded: free-models-per-min.",
    "capabilities": ["chat", "models"],
    "keys": 1,
    "free_tier": FREE_TIER_EXAMPLE,
    "quotas": [QUOTA_EXAMPLE],
    "notice": None,
    "created_at": "2026-11-21T11:58:00Z",
    "updated_at": "2026-11-21T11:58:00Z",
}
_AVAILABLE = _EXAMPLE | {"status": "available", "available_at": None, "reason": ""}
_NEW = {"id": "openrouter", "base_url": "https://openrouter.ai/api/v1", "priority": 20}
_TESTED = {
    "ok": True,
    "message": "The provider answered and lists 312 models.",
    "call": "list_models",
    "duration_ms": 212.4,
    "models": 312,
    "status": None,
}

NewProviderBody = Annotated[NewProvider, BodyKwarg(examples=[Example(summary="A provider", value=_NEW)])]
ProviderChangeBody = Annotated[
    ProviderChange, BodyKwarg(examples=[Example(summary="Try it later, and less often", value={"priority": 200})])
]


class ProviderController(Controller):
    path = "/admin/providers"
    tags = ("Providers",)
    guards = (require_admin,)
    dependencies = ACTING
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listProviders",
        summary="List providers",
        description="All providers by priority, disabled and declared ones too, each with its status.",
        responses={
            200: example({"data": [_EXAMPLE], "next_cursor": None}, "A page of providers", ProviderList),
            **READ_ERRORS,
        },
    )
    @inject
    async def list_page(
        self,
        providers: FromDishka[ProviderAdmin],
        limit: Limit = FIRST_PAGE,
        cursor: Cursor = None,
        words: Search = None,
    ) -> ProviderList:
        page = await providers.list_page(limit, cursor, words)
        return ProviderList(tuple(_answer(view) for view in page.data), page.next_cursor)

    @post(
        operation_id="createProvider",
        summary="Create a provider",
        description="Only `id` is needed for a provider the gateway knows (see `/admin/provider-kinds`); any other "
        "OpenAI-compatible server needs its `base_url`. Then add a key.",
        responses={201: example(_AVAILABLE | {"status": "no_key", "keys": 0}, "Created", ProviderResponse)}
        | WRITE_ERRORS,
    )
    @inject
    async def create(
        self, actor: NamedDependency[Actor], data: NewProviderBody, providers: FromDishka[ProviderAdmin]
    ) -> ProviderResponse:
        return _answer(await providers.create(actor, data))

    @get(
        "/{provider_id:str}",
        operation_id="getProvider",
        summary="Get a provider",
        description="One provider with its status.",
        responses={200: example(_EXAMPLE, "The provider", ProviderResponse), **ITEM_ERRORS},
    )
    @inject
    async def get_one(self, provider_id: ProviderId, providers: FromDishka[ProviderAdmin]) -> ProviderResponse:
        return _answer(await providers.get(provider_id))

    @patch(
        "/{provider_id:str}",
        operation_id="updateProvider",
        summary="Change a provider",
        description="Changes the fields that are sent; a field of `settings` sent as null goes back to its default. "
        "A `base_url` of another origin (scheme, host, port) removes the stored keys, and `notice` says so.",
        responses={200: example(_AVAILABLE | {"priority": 200}, "Changed", ProviderResponse), **CHANGE_ERRORS},
    )
    @inject
    async def update(
        self,
        actor: NamedDependency[Actor],
        provider_id: ProviderId,
        data: ProviderChangeBody,
        providers: FromDishka[ProviderAdmin],
    ) -> ProviderResponse:
        return _answer(await providers.update(actor, provider_id, data))

    @delete(
        "/{provider_id:str}",
        operation_id="deleteProvider",
        summary="Delete a provider",
        description="Deletes it with its keys. Requests under way finish.",
        responses=DELETE_ERRORS,
    )
    @inject
    async def remove(
        self, actor: NamedDependency[Actor], provider_id: ProviderId, providers: FromDishka[ProviderAdmin]
    ) -> None:
        await providers.delete(actor, provider_id)

    @post(
        "/{provider_id:str}/retry",
        status_code=200,
        operation_id="retryProvider",
        summary="Ask a provider again",
        description="Forgets what was learned against it: waiting, exhausted and refused keys, absent models, and "
        "failures in a row. The next request may ask it.",
        responses={200: example(_AVAILABLE, "The provider, available again", ProviderResponse), **ITEM_ERRORS},
    )
    @inject
    async def retry(
        self, actor: NamedDependency[Actor], provider_id: ProviderId, providers: FromDishka[ProviderAdmin]
    ) -> ProviderResponse:
        return _answer(await providers.retry(actor, provider_id))

    @post(
        "/{provider_id:str}/test",
        status_code=200,
        operation_id="testProvider",
        summary="Test a provider",
        description="Makes one free call (its list of models), or the smallest one where there is no free one, with "
        "the stored address and key, and says in words how it went. Changes nothing; the body is not read.",
        responses={200: example(_TESTED, "How it went", ProviderCheckResult), **ITEM_ERRORS},
    )
    @inject
    async def test(self, provider_id: ProviderId, tests: FromDishka[ProviderCheck]) -> ProviderCheckResult:
        return await tests.run(provider_id)


def _answer(view: ProviderView) -> ProviderResponse:
    provider = view.provider
    return ProviderResponse(
        id=provider.id,
        kind=provider.kind,
        name=provider.name,
        base_url=view.base_url,
        priority=provider.priority,
        enabled=provider.enabled,
        settings=provider.settings.shown(),
        owner=provider.owner,
        read_only=provider.owner != "database",
        status=view.status,
        available_at=view.available_at,
        reason=view.reason,
        capabilities=view.capabilities,
        keys=view.keys,
        free_tier=free_tier_answer(view.free_tier, view.as_of) if view.free_tier else None,
        quotas=quota_answers(view.quotas),
        notice=view.notice,
        created_at=provider.created_at,
        updated_at=provider.updated_at,
    )
