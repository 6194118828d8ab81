"""`/v1/responses/{id}` and what lies below it: responses that a provider keeps, by the provider that their id names."""

from collections.abc import Awaitable, Callable
from typing import Final, Literal
from urllib.parse import parse_qsl

import msgspec

from application.inference.calls import KEPT_RESPONSES
from domain.errors import NotFound
from domain.inference import Json
from domain.kept_responses import KeptAction, KeptResponseRequest
from domain.keys import Principal
from domain.payload import Payload
from domain.response_ids import KeptResponse, read_kept_id
from domain.responses import Response
from entrypoints.http.edge.exchange import Exchange
from entrypoints.http.errors import ERRORS
from entrypoints.http.inference.responses_errors import RESPONSES_ERRORS
from entrypoints.http.inference.route import InferenceRoute
from entrypoints.http.inference.serving import Serving

_YES: Final = frozenset({"true", "1"})
_PASSED: Final = frozenset({
    "after", "before", "include", "include[]", "include_obfuscation", "limit", "order", "starting_after", "stream",
})  # fmt: skip
"""Of the address's query; what else stands there is ignored as everywhere."""

_ERRORS: Final = {status: spec for status, spec in ERRORS.items() if status in (400, 401, 403, 404, 429, 502, 503, 504)}


class DeletedResponse(msgspec.Struct):
    id: str
    deleted: bool
    object: Literal["response", "response.deleted"] = "response"


class InputItems(msgspec.Struct):
    data: list[dict[str, Json]]
    has_more: bool
    first_id: str | None = None
    last_id: str | None = None
    object: Literal["list"] = "list"


def owned(exchange: Exchange, principal: Principal, response_id: str) -> KeptResponse | None:
    """Where a response is kept, if the caller's tenant has made it: another's id is as unknown as one of nobody."""
    kept = read_kept_id(response_id)
    if kept is None or kept.provider_id not in exchange.services.state.current.by_id:
        return None
    return kept if exchange.services.response_owners.owns(principal, kept) else None


def _asking(action: KeptAction) -> Callable[[Exchange, bytes], Awaitable[Payload[KeptResponseRequest]]]:
    async def asked(exchange: Exchange, body: bytes) -> Payload[KeptResponseRequest]:  # noqa: ARG001 - all in the address
        kept = read_kept_id(exchange.tail)
        if kept is None:
            raise _not_found(exchange)
        pairs = parse_qsl(exchange.scope["query_string"].decode("latin-1"), encoding="utf-8", errors="replace")
        query = tuple((name, value) for name, value in pairs if name in _PASSED)
        streams = action == "retrieve" and dict(query).get("stream", "").lower() in _YES
        of_model = exchange.services.background.model_of(kept.provider_id, kept.upstream_id)
        request = KeptResponseRequest(
            action=action, upstream_id=kept.upstream_id, query=query, stream=streams, of_model=of_model
        )
        return Payload(request, {})

    return asked


def _keeper(exchange: Exchange, principal: Principal, request: KeptResponseRequest) -> str:  # noqa: ARG001 - by its id
    kept = owned(exchange, principal, exchange.tail)
    if kept is None or exchange.provider not in (None, kept.provider_id):
        raise _not_found(exchange)
    exchange.response_owner = exchange.services.response_owners.key_of(principal)
    return kept.provider_id


def _not_found(exchange: Exchange) -> NotFound:
    return NotFound(
        f"Response with id '{exchange.tail}' not found: no provider keeps it for this key's tenant. What was made over "
        "a provider's chat is not kept.",
        code="not_found",
    )


def _serving(action: KeptAction) -> Serving[KeptResponseRequest]:
    streaming = KEPT_RESPONSES if action == "retrieve" else None
    return Serving(decode=_asking(action), answering=KEPT_RESPONSES, streaming=streaming, origin=_keeper)


_retrieve = _serving("retrieve")


async def retrieve(exchange: Exchange) -> None:
    """Of events only a look at the whole tells what was used: it follows them."""
    await _retrieve(exchange)
    kept = read_kept_id(exchange.tail)
    if kept is not None and exchange.trace is not None and b"stream=" in exchange.scope["query_string"]:
        await exchange.services.background.look_for(kept.provider_id, kept.upstream_id)


_ID = "resp_omg_n5ygk3tbne-ge3tmnzyhe4dsmjq_resp_1"
_KEPT: Final = "It is asked of the provider that keeps it, which its id names, for the tenant that made it. "

_EXAMPLE: Final[dict[str, object]] = {
    "id": _ID,
    "object": "response",
    "created_at": 1795262400,
    "status": "in_progress",
    "model": "gpt-6-astra",
    "output": [],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
}

GET_RESPONSE = InferenceRoute(
    path="/v1/responses/{response_id}",
    method="GET",
    operation_id="getResponse",
    tag="Responses",
    summary="Have a response again",
    description=(
        f"{_KEPT}One that was made with `background: true` is asked for here until its `status` is none of `queued` "
        "and `in_progress`; with `stream=true` and `starting_after` its events come from there on."
    ),
    handler=retrieve,
    response=Response,
    response_example=_EXAMPLE,
    query={
        "include": "What else is to be in it, as when it was made",
        "stream": "Its events instead of the whole",
        "starting_after": "The number of the event behind which to begin",
    },
    streams=True,
    error_style=RESPONSES_ERRORS,
    errors=_ERRORS,
)

DELETE_RESPONSE = InferenceRoute(
    path="/v1/responses/{response_id}",
    method="DELETE",
    operation_id="deleteResponse",
    tag="Responses",
    summary="Have a response forgotten",
    description=f"{_KEPT}What was booked for it stays.",
    handler=_serving("delete"),
    response=DeletedResponse,
    response_example={"id": _ID, "object": "response", "deleted": True},
    error_style=RESPONSES_ERRORS,
    errors=_ERRORS,
)

CANCEL_RESPONSE = InferenceRoute(
    path="/v1/responses/{response_id}/cancel",
    method="POST",
    operation_id="cancelResponse",
    tag="Responses",
    summary="Stop a response that is made in the background",
    description=f"{_KEPT}Only one with `background: true` can be stopped.",
    handler=_serving("cancel"),
    response=Response,
    response_example={**_EXAMPLE, "status": "cancelled"},
    error_style=RESPONSES_ERRORS,
    errors=_ERRORS,
)

LIST_INPUT_ITEMS = InferenceRoute(
    path="/v1/responses/{response_id}/input_items",
    method="GET",
    operation_id="listResponseInputItems",
    tag="Responses",
    summary="List what a response was made from",
    description=f"{_KEPT}The list is the provider's, with its pages.",
    handler=_serving("input_items"),
    response=InputItems,
    response_example={
        "object": "list",
        "data": [{"id": "msg_1", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}],
        "first_id": "msg_1",
        "last_id": "msg_1",
        "has_more": False,
    },
    query={
        "after": "The item behind which the page begins",
        "limit": "How many items a page has",
        "order": "`asc` or `desc`",
        "include": "What else is to be in them",
    },
    error_style=RESPONSES_ERRORS,
    errors=_ERRORS,
)
