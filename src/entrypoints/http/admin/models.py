"""`/admin/models`: every model that can be called now, in the order its providers are tried, and what each costs."""

from datetime import datetime
from typing import Annotated

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, delete, get, post
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg, PathParameter, QueryParameter

from application.admin.paging import page_of
from application.pricing.administration import NewPrice, PriceAdmin, PricedModel
from domain.prices import ALWAYS
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
from entrypoints.http.authorization import require_admin


class ModelAnswer(msgspec.Struct, frozen=True):
    """One deployment: `provider/model` is its full name. `context_window` is in tokens, where it is known.

    `prices` are USD per million tokens by meter, null for an unpriced model; a meter that is not there costs what
    `input` or `output` costs, `cache_write_1h` what `cache_write` costs. `source` is `admin` or the catalog with its
    version. `effective_from` is null where nobody knows since when it holds. `price_id` is what the ledger keeps with
    each call.
    """

    provider: str
    model: str
    owned_by: str
    context_window: int | None
    capabilities: list[str]
    prices: dict[str, str] | None
    source: str | None
    effective_from: datetime | None
    price_id: str | None


class ModelPage(msgspec.Struct, frozen=True):
    data: tuple[ModelAnswer, ...]
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
}
_NEW = {"provider": "cerebras", "model": "gpt-oss-120b", "prices": {"input": "0.35", "output": "0.75"}}
NewPriceBody = Annotated[NewPrice, BodyKwarg(examples=[Example(summary="A price", value=_NEW)])]
OfProvider = Annotated[str, PathParameter(description="The id of a provider", examples=[Example(value="openrouter")])]
ModelPath = Annotated[str, PathParameter(description="A model of it; slashes may be sent as they are")]


class ModelController(Controller):
    path = "/admin/models"
    tags = ("Models",)
    guards = (require_admin,)
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
        "and what it would cost, until it comes with `confirm`.",
        responses={
            201: example(_EXAMPLE, "The model with its new price", ModelAnswer),
            **WRITE_ERRORS,
            409: CONFIRMATION,
        },
    )
    @inject
    async def set_price(self, data: NewPriceBody, prices: FromDishka[PriceAdmin]) -> ModelAnswer:
        return _answer(await prices.set_price(data))

    @get(
        "/{provider:str}/{model:path}",
        operation_id="getModelPrice",
        summary="Look up one model",
        responses={200: example(_EXAMPLE, "The model", ModelAnswer), **ITEM_ERRORS},
    )
    @inject
    async def get_model(self, provider: OfProvider, model: ModelPath, prices: FromDishka[PriceAdmin]) -> ModelAnswer:
        return _answer(prices.get(provider, model.removeprefix("/")))

    @delete(
        "/{provider:str}/{model:path}",
        operation_id="endModelPrice",
        summary="End a price",
        description="The catalog's price holds again, or none. The ended price stays in the books.",
        responses=ITEM_ERRORS,
    )
    @inject
    async def end_price(self, provider: OfProvider, model: ModelPath, prices: FromDishka[PriceAdmin]) -> None:
        await prices.end_price(provider, model.removeprefix("/"))


def _answer(found: PricedModel) -> ModelAnswer:
    offered, price = found.offered, found.price
    return ModelAnswer(
        provider=found.provider_id,
        model=found.model,
        owned_by=offered.owned_by if offered else found.provider_id,
        context_window=offered.context_window if offered else None,
        capabilities=offered.capabilities if offered else [],
        prices=price.prices.in_usd() if price else None,
        source=price.source if price else None,
        effective_from=price.effective_from if price and price.effective_from != ALWAYS else None,
        price_id=price.id if price else None,
    )
