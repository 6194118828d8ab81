"""`POST /v1/responses` and `POST /v1/responses/input_tokens`."""

from typing import Literal

import msgspec

from application.inference.calls import RESPONSE_COUNTS, RESPONSES
from domain.errors import RequestInvalid
from domain.keys import Principal
from domain.responses import Response, ResponsesRequest
from entrypoints.http.edge.exchange import Exchange
from entrypoints.http.inference.json_body import JsonBody
from entrypoints.http.inference.kept_responses import owned
from entrypoints.http.inference.responses_errors import RESPONSES_ERRORS
from entrypoints.http.inference.route import InferenceRoute
from entrypoints.http.inference.serving import Serving


def origin(exchange: Exchange, principal: Principal, request: ResponsesRequest) -> str | None:
    """The provider that keeps the previous response. Raises `RequestInvalid` where none does, or another is asked."""
    given, asked = request.previous_response_id, exchange.provider
    exchange.response_owner = exchange.services.response_owners.key_of(principal)
    if not given:
        return asked
    kept, known = owned(exchange, principal, given), exchange.services.state.current.by_id
    if kept is None:
        raise _not_found(
            f"Previous response with id '{given}' not found: no provider keeps it for this key's tenant. Send the "
            "whole history in 'input' instead (in OpenAI's clients with `store: false`)."
        )
    named = request.model.partition("/")[0]
    asked = asked or (named if named in known else None)
    if asked is not None and asked != kept.provider_id:
        raise _not_found(
            f"Previous response with id '{given}' not found: the provider '{kept.provider_id}' keeps it, and "
            f"'{asked}' is asked."
        )
    return kept.provider_id


def _not_found(message: str) -> RequestInvalid:
    return RequestInvalid(message, code="previous_response_not_found", param="previous_response_id")


create_response = Serving(decode=JsonBody(ResponsesRequest), answering=RESPONSES, streaming=RESPONSES, origin=origin)

count_response_tokens = Serving(decode=JsonBody(ResponsesRequest), answering=RESPONSE_COUNTS, origin=origin)


class InputTokens(msgspec.Struct, omit_defaults=True):
    """`estimated` where the provider does not count, and nobody was asked."""

    input_tokens: int
    object: Literal["response.input_tokens"] = "response.input_tokens"
    estimated: bool = False


_EXAMPLE_TOKEN = "5f1c0e7a9b3d4c2e8f6a1b0c9d8e7f6a5b4c3d2e"  # noqa: S105 - of an id

CREATE_RESPONSE = InferenceRoute(
    path="/v1/responses",
    method="POST",
    operation_id="createResponse",
    tag="Responses",
    summary="Create a response",
    description=(
        "OpenAI's Responses, served by whichever provider can: by its own Responses API, else over its chat. With "
        "`stream: true` the answer is a stream of named server-sent events, `response.completed` or "
        "`response.incomplete` last. `previous_response_id` goes to the provider that keeps that response; over chat "
        "nothing is kept, and the whole history belongs in `input`."
    ),
    handler=create_response,
    request=ResponsesRequest,
    request_example={
        "model": "auto",
        "instructions": "You are brief.",
        "input": "Name a prime above ten.",
        "max_output_tokens": 64,
        "store": False,
    },
    response=Response,
    response_example={
        "id": f"resp_{_EXAMPLE_TOKEN}",
        "object": "response",
        "created_at": 1795262400,
        "status": "completed",
        "model": "gpt-oss-120b",
        "output": [
            {
                "id": f"msg_{_EXAMPLE_TOKEN}00",
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "11", "annotations": [], "logprobs": []}],
            }
        ],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 21,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 1,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 22,
        },
    },
    streams=True,
    error_style=RESPONSES_ERRORS,
)

COUNT_RESPONSE_TOKENS = InferenceRoute(
    path="/v1/responses/input_tokens",
    method="POST",
    operation_id="countResponseInputTokens",
    tag="Responses",
    summary="Count a response's input tokens",
    description=(
        "The body of a response. Asked of a provider that counts, else estimated here, and `estimated` is true beside "
        "the count. It costs nothing and counts as no tokens in the usage."
    ),
    handler=count_response_tokens,
    request=ResponsesRequest,
    request_example={"model": "auto", "input": "Name a prime above ten."},
    response=InputTokens,
    response_example={"object": "response.input_tokens", "input_tokens": 13},
    error_style=RESPONSES_ERRORS,
)
