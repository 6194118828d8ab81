"""`GET /v1/models` and `GET /v1/models/{model}`: what the caller's key may ask for."""

import msgspec

from domain.anthropic_models import model_info, model_page
from domain.google_models import google_list, google_model
from domain.models import Model, ModelList
from entrypoints.http.edge.exchange import Exchange
from entrypoints.http.error_styles import ANTHROPIC_VERSION
from entrypoints.http.errors import ERRORS
from entrypoints.http.google_errors import GOOGLE_ERRORS, GOOGLES_CLIENT
from entrypoints.http.inference.route import InferenceRoute

_encode = msgspec.json.Encoder().encode

_EXAMPLE = {
    "id": "cerebras/gpt-oss-120b",
    "object": "model",
    "created": 1795262400,
    "owned_by": "cerebras",
    "provider": "cerebras",
    "context_window": 131072,
    "capabilities": ["chat"],
    "pricing": {"input": "0.65", "output": "0.85"},
    "type": "model",
    "display_name": "cerebras/gpt-oss-120b",
    "created_at": "2026-11-21T12:00:00Z",
    "max_input_tokens": 131072,
    "lifecycle": "active",
}
_ERRORS = {status: spec for status, spec in ERRORS.items() if status in (400, 401, 404, 503)}


async def list_models(exchange: Exchange) -> None:
    google = _asks_google(exchange)
    principal = await exchange.authenticate()
    exchange.require_provider()
    await exchange.services.directory.read_awaited()
    models = exchange.services.directory.visible_to(principal, exchange.provider)
    if google:
        await exchange.send_json(200, _encode(google_list(models)))
        return
    await exchange.send_json(200, _encode(model_page(models) if _asks_anthropic(exchange) else ModelList(models)))


async def get_model(exchange: Exchange) -> None:
    google = _asks_google(exchange)
    principal = await exchange.authenticate()
    exchange.require_provider()
    await exchange.services.directory.read_awaited()
    model = exchange.services.directory.find(principal, exchange.tail, exchange.provider)
    if google:
        await exchange.send_json(200, _encode(google_model(model)))
        return
    await exchange.send_json(200, _encode(model_info(model) if _asks_anthropic(exchange) else model))


def _asks_anthropic(exchange: Exchange) -> bool:
    return ANTHROPIC_VERSION in exchange.head.singles


def _asks_google(exchange: Exchange) -> bool:
    """Google's clients since 3.0 look for models where OpenAI's do, and say in this header who they are."""
    asks = GOOGLES_CLIENT in exchange.head.singles
    if asks:
        exchange.errors = GOOGLE_ERRORS
    return asks


LIST_MODELS = InferenceRoute(
    path="/v1/models",
    method="GET",
    operation_id="listModels",
    tag="Models",
    summary="List the models this key may use",
    description=(
        "Bare model ids, `provider/model` ids, and `auto`. Under `/{provider}/v1` only that provider's. One list for "
        "OpenAI's clients and Anthropic's; it is whole, whatever `limit` says. With `anthropic-version` the "
        "`capabilities` are Anthropic's object; with `x-goog-api-client` the list is Google's."
    ),
    handler=list_models,
    response=ModelList,
    response_example={
        "object": "list",
        "data": [_EXAMPLE],
        "has_more": False,
        "first_id": _EXAMPLE["id"],
        "last_id": _EXAMPLE["id"],
    },
    errors=_ERRORS,
)

GET_MODEL = InferenceRoute(
    path="/v1/models/{model}",
    method="GET",
    operation_id="getModel",
    tag="Models",
    summary="Look up one model",
    description="By its id as the list has it; slashes in it may be sent as they are or as `%2F`.",
    handler=get_model,
    response=Model,
    response_example=_EXAMPLE,
    errors=_ERRORS,
)
