"""`/admin/models`: every model that can be called now, in the order its providers are tried: what each costs, what is
known of it, and how quickly it answered.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg, PathParameter, QueryParameter
from msgspec import UNSET, UnsetType

from application.admin.paging import page_of
from application.admin.price_lists import NewPrices, shown_prices, shown_units
from application.admin.prices import ModelChange, NewPrice, PriceAdmin, PricedModel
from domain.actors import Actor
from domain.measurements import Spread
from domain.model_facts import DataPolicy
from domain.prices import ALWAYS
from domain.providers import Owner
from entrypoints.http.admin.operations import (
    COMPLAINTS,
    CONFIRMATION,
    FIRST_PAGE,
    ITEM_ERRORS,
    READ_ERRORS,
    WRITE_ERRORS,
    Cursor,
    Limit,
    example,
)
from entrypoints.http.authorization import ACTING, require_admin
from entrypoints.http.owners import owner_of


class ModelResponse(msgspec.Struct, frozen=True):
    """One deployment: `provider/model` is its full name. `context_window` is in tokens, where it is known.

    `prices` are USD per million tokens by meter, null for an unpriced model; a meter that is not there costs what
    `input` or `output` costs, `cache_write_1h` what `cache_write` costs. Above the `above_input_tokens` of a tier the
    whole request costs that; a variant counts where the answer says so; fees are USD a call. `units` are USD for one
    of what is not sold by the token. `source` is `admin` or the catalog with its version. `effective_from` is null
    where nobody knows since when it holds. `price_id` is what the ledger keeps with each call. `retired_at` is the day
    on which the provider ends the model, `successor` what it recommends instead; null where nothing is known of it.
    `strengths` are between 0 and 1 by task. `latency_ms`, `ttft_ms` and `tokens_per_second` were measured in the last
    24 hours, null where they never were.
    """

    provider: str
    model: str
    owned_by: str
    context_window: int | None
    capabilities: list[str]
    prices: NewPrices | None
    source: str | None
    effective_from: datetime | None
    price_id: str | None
    deprecated_at: date | None = None
    retired_at: date | None = None
    successor: str | None = None
    strengths: Mapping[str, float] = {}
    data_policy: DataPolicy | None = None
    latency_ms: Spread | None = None
    ttft_ms: Spread | None = None
    tokens_per_second: float | None = None
    units: dict[str, dict[str, str]] | UnsetType = UNSET
    owner: Owner = "database"


class ModelPage(msgspec.Struct, frozen=True):
    data: tuple[ModelResponse, ...]
    next_cursor: str | None


_EXAMPLE = {
    "provider": "cerebras",
    "model": "gpt-oss-120b",
    "owned_by": "openai",
    "context_window": 65536,
    "capabilities": ["chat"],
    "prices": {"input": "0.35", "output": "0.75", "cache_read": "0.10"},
    "source": "admin",
    "effective_from": "2026-11-21T11:58:00Z",
    "price_id": "price_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "deprecated_at": None,
    "retired_at": None,
    "successor": None,
    "strengths": {"coding": 0.82},
    "data_policy": {"regions": ["us"], "retention_days": 0, "trains": False},
    "latency_ms": {"p50": 812.4, "p95": 2410.0},
    "ttft_ms": {"p50": 190.2, "p95": 655.1},
    "tokens_per_second": 412.7,
}
_CHANGE = {"strengths": {"coding": 0.82}, "data_policy": {"regions": ["us"], "retention_days": 0, "trains": False}}
_NEW = {"provider": "cerebras", "model": "gpt-oss-120b", "prices": {"input": "0.35", "output": "0.75"}}
NewPriceBody = Annotated[NewPrice, BodyKwarg(examples=[Example(summary="A price", value=_NEW)])]
ChangeBody = Annotated[ModelChange, BodyKwarg(examples=[Example(summary="What a team found", value=_CHANGE)])]
OfProvider = Annotated[str, PathParameter(description="The id of a provider", examples=[Example(value="openrouter")])]
ModelPath = Annotated[str, PathParameter(description="A model of it; slashes may be sent as they are")]


class ModelController(Controller):
    path = "/admin/models"
    tags = ("Models",)
    guards = (require_admin,)
    dependencies = ACTING
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listOfferedModels",
        summary="List the models",
        description="What every usable provider offers (what its settings name, and what its own list said last), and "
        "after them the models that only have a price. It is no allow-list: `provider/model` works for a model that is "
        "not here.",
        responses={200: example({"data": [_EXAMPLE], "next_cursor": None}, "The models", ModelPage), **READ_ERRORS},
    )
    @inject
    async def list_models(
        self,
        prices: FromDishka[PriceAdmin],
        provider: Annotated[str | None, QueryParameter(description="Only this provider's")] = None,
        model: Annotated[str | None, QueryParameter(description="Only this model's, at every provider")] = None,
        limit: Limit = FIRST_PAGE,
        cursor: Cursor = None,
    ) -> ModelPage:
        listed = prices.list_models(provider, model)
        page = page_of(listed, limit, cursor, lambda found: f"{found.provider_id}/{found.model}")
        return ModelPage(tuple(_answer(found) for found in page.data), page.next_cursor)

    @post(
        operation_id="setModelPrice",
        summary="Set a price",
        description="In force from now on, over the catalog's; calls made before keep the price they were booked at. "
        "A price more than ten times the one in force, or less than a tenth, is asked about first: answered with 409 "
        "and what it would cost, until it comes with `confirm`. What else there is to say of the model may come with "
        "it, or alone.",
        responses={
            201: example(_EXAMPLE, "The model with its new price", ModelResponse),
            **WRITE_ERRORS,
            409: CONFIRMATION,
        },
    )
    @inject
    async def set_price(
        self, actor: NamedDependency[Actor], data: NewPriceBody, prices: FromDishka[PriceAdmin]
    ) -> ModelResponse:
        return _answer(await prices.set_price(actor, data))

    @get(
        "/{provider:str}/{model:path}",
        operation_id="getModelPrice",
        summary="Look up one model",
        responses={200: example(_EXAMPLE, "The model", ModelResponse), **ITEM_ERRORS},
    )
    @inject
    async def get_model(self, provider: OfProvider, model: ModelPath, prices: FromDishka[PriceAdmin]) -> ModelResponse:
        return _answer(prices.get(provider, model.removeprefix("/")))

    @patch(
        "/{provider:str}/{model:path}",
        operation_id="changeModel",
        summary="Set what is known of a model",
        description="Beside its price: what it can do, what it is good at, what becomes of what it is sent, and when "
        "it ends. Over what its provider lists and what the gateway comes with; null takes it back.",
        responses={200: example(_EXAMPLE, "The model", ModelResponse), **WRITE_ERRORS},
    )
    @inject
    async def change(
        self,
        actor: NamedDependency[Actor],
        provider: OfProvider,
        model: ModelPath,
        data: ChangeBody,
        prices: FromDishka[PriceAdmin],
    ) -> ModelResponse:
        return _answer(await prices.change(actor, provider, model.removeprefix("/"), data))

    @delete(
        "/{provider:str}/{model:path}",
        operation_id="endModelPrice",
        summary="End a price",
        description="The catalog's price holds again, or none. The ended price stays in the books.",
        responses=ITEM_ERRORS,
    )
    @inject
    async def end_price(
        self, actor: NamedDependency[Actor], provider: OfProvider, model: ModelPath, prices: FromDishka[PriceAdmin]
    ) -> None:
        await prices.end_price(actor, provider, model.removeprefix("/"))


def _answer(found: PricedModel) -> ModelResponse:
    offered, price, facts, measured = found.offered, found.price, found.facts, found.measured
    return ModelResponse(
        provider=found.provider_id,
        model=found.model,
        owned_by=offered.owned_by if offered else found.provider_id,
        context_window=offered.context_window if offered else facts.context_window,
        capabilities=offered.capabilities if offered else list(facts.capabilities or ()),
        prices=shown_prices(price.prices) if price else None,
        source=price.source if price else None,
        effective_from=price.effective_from if price and price.effective_from != ALWAYS else None,
        price_id=price.id if price else None,
        deprecated_at=facts.deprecated_at,
        retired_at=facts.retired_at,
        successor=facts.successor,
        strengths=facts.strengths or {},
        data_policy=facts.data_policy,
        latency_ms=measured.latency_ms if measured else None,
        ttft_ms=measured.ttft_ms if measured else None,
        tokens_per_second=measured.tokens_per_second if measured else None,
        units=shown_units(price.prices) if price and price.prices.units else UNSET,
        owner=owner_of("price", f"{found.provider_id}/{found.model}"),
    )
