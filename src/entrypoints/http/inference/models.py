"""`GET /v1/models` and `GET /v1/models/{model}`: what the caller's key may ask for."""

import msgspec

from domain.models import Model, ModelList
from entrypoints.http.edge.exchange import Exchange
from entrypoints.http.errors import ERRORS
from entrypoints.http.inference.route import InferenceRoute

_encode = msgspec.json.Encoder().encode

_EXAMPLE = {
    "id": "cerebras/llama-4-scout",
    "object": "model",
    "created": 1795262400,
    "owned_by": "cerebras",
    "provider": "cerebras",
    "context_window": 131072,
    "capabilities": ["chat"],
    "pricing": {"input": "0.65", "output": "0.85"},
    "type": "model",
    "display_name": "cerebras/llama-4-scout",
    "created_at": "2026-11-21T12:00:00Z",
    "max_input_tokens": 131072,
    "lifecycle": "active",
}
_ERRORS = {status: spec for status, spec in ERRORS.items() if status in (400, 401, 404, 503)}


async def list_models(exchange: Exchange) -> None:
    principal = await exchange.authenticate()
    exchange.require_provider()
    models = exchange.services.directory.visible_to(principal, exchange.provider)
    await exchange.send_json(200, _encode(ModelList(models)))


async def get_model(exchange: Exchange) -> None:
    principal = await exchange.authenticate()
    exchange.require_provider()
    model = exchange.services.directory.find(principal, exchange.tail, exchange.provider)
    await exchange.send_json(200, _encode(model))


LIST_MODELS = InferenceRoute(
    path="/v1/models",
    method="GET",
    operation_id="listModels",
    tag="Models",
    summary="List the models this key may use",
    description=(
        "Bare model ids, `provider/model` ids, and `auto`. Under `/{provider}/v1` only that provider's. One list for "
        "OpenAI's clients and Anthropic's; it is whole, whatever `limit` says."
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
