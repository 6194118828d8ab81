"""What all admin operations share: list parameters, error answers for OpenAPI, and complaints about bodies."""

import re
from typing import Annotated

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import ClientException, SerializationException, ValidationException
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import PathParameter, QueryParameter
from litestar.types import ExceptionHandlersMap

from application.admin.paging import DEFAULT_LIMIT, MAX_LIMIT
from domain.errors import RequestInvalid
from entrypoints.http.errors import ErrorBody, ErrorDetail, describe
from entrypoints.http.inference.json_body import complaint

Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT, description=f"How many, 1 to {MAX_LIMIT}")]
Cursor = Annotated[str | None, QueryParameter(description="`next_cursor` of the page before")]
Search = Annotated[
    str | None,
    QueryParameter(
        name="query",
        max_length=200,
        description="Only those with this in the id or the name, or an address, external id or owner; in any case",
    ),
]
From = Annotated[
    str | None, QueryParameter(name="from", description="First moment: a UTC date, or a time with its offset")
]
To = Annotated[str | None, QueryParameter(description="End: a UTC date, which is included, or a time, which is not")]
ProviderId = Annotated[str, PathParameter(description="The id of a provider", examples=[Example(value="openrouter")])]
KeyId = Annotated[str, PathParameter(description="The id of a key")]

FIRST_PAGE = DEFAULT_LIMIT

_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<name>[^`]+)`(?: - at `\$(?P<path>[^`]*)`)?")
_NO_BODY = "Object missing required field `data`"  # the name of the handler's parameter
_DATA = re.compile(r"`(key in )?\$\.data\b")


def example(value: object, description: str, answer: type) -> ResponseSpec:
    """A documented answer with one example."""
    return ResponseSpec(
        answer, generate_examples=False, description=description, examples=[Example(summary="An answer", value=value)]
    )


def _error(type_: str, code: str, message: str, param: str | None = None) -> ResponseSpec:
    body = ErrorBody(ErrorDetail(message, type_, param, code), "req_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f")
    return ResponseSpec(
        ErrorBody,
        generate_examples=False,
        description=message,
        examples=[Example(summary=code, value=msgspec.to_builtins(body))],
    )


_INVALID = "invalid_request_error"

READ_ERRORS: dict[int, ResponseSpec] = {
    400: _error(_INVALID, "invalid_value", "Invalid 'limit': expected `int` <= 200.", "limit"),
    401: _error(_INVALID, "invalid_api_key", "Incorrect admin token provided."),
    503: _error("api_error", "store_unavailable", "The database is away; try again soon."),
}
"""Of an operation that only reads a list."""

ITEM_ERRORS = READ_ERRORS | {404: _error(_INVALID, "not_found", "There is no key 'key_0198f3c2'.")}
"""Of an operation on one object."""

WRITE_ERRORS = READ_ERRORS | {
    400: _error(_INVALID, "unknown_parameter", "Unknown parameter: 'budget'.", "budget"),
    409: _error("conflict_error", "already_exists", "A provider 'openrouter' exists already.", "id"),
    413: _error(_INVALID, "request_too_large", "The request body is larger than 262144 bytes."),
}
"""Of an operation that creates."""

CHANGE_ERRORS = (
    WRITE_ERRORS
    | ITEM_ERRORS
    | {
        400: WRITE_ERRORS[400],
        409: _error("conflict_error", "read_only", "Provider 'groq' is declared by the environment (GROQ_API_KEY)."),
    }
)
"""Of an operation that changes or deletes."""

NOT_FAILED = _error(
    "conflict_error", "conflict", "Delivery 'ald_0198…' is delivered: only one that failed can be sent again."
)

CONFIRMATION = _error(
    "conflict_error",
    "confirmation_required",
    "This changes the price of cerebras/gpt-oss-120b more than 10 times: 1,000 input tokens would cost $0.35 instead "
    'of $0.00035, 1,000,000 $350.00 instead of $0.35. If it is meant, send it again with "confirm": true.',
    "confirm",
)
"""Of an operation that asks whether it is meant."""

DELETE_ERRORS = ITEM_ERRORS | {409: CHANGE_ERRORS[409]}


def answer_invalid(request: Request[object, object, State], error: ValidationException) -> Response[bytes]:
    """What msgspec found wrong with a body or a parameter, in the codes and paths of the error contract."""
    cause = error.__cause__
    return _answer(request, _invalid(str(cause)) if isinstance(cause, msgspec.ValidationError) else error)


def _answer(request: Request[object, object, State], error: Exception) -> Response[bytes]:
    answer = describe(error)
    request_id = str(request.scope.get("state", {}).get("request_id", ""))
    return Response(answer.body(request_id), status_code=answer.status, media_type="application/json")


def answer_unreadable(request: Request[object, object, State], error: ClientException) -> Response[bytes]:
    """A body that is no JSON, or whatever else the framework found wrong with a request."""
    cause = error.__cause__
    unreadable = isinstance(cause, SerializationException)
    return _answer(
        request, RequestInvalid(f"The body is not valid JSON: {cause}", code="invalid_json") if unreadable else error
    )


COMPLAINTS: ExceptionHandlersMap = {ValidationException: answer_invalid, ClientException: answer_unreadable}
"""For controllers that take a body or parameters."""


def _invalid(text: str) -> RequestInvalid:
    if text == _NO_BODY:
        return RequestInvalid("This operation needs a JSON body.", code="missing_required_parameter")
    text = _DATA.sub(lambda found: f"`{found[1] or ''}$", text)
    unknown = _UNKNOWN.match(text)
    if unknown is None:
        return complaint(msgspec.ValidationError(text))
    param = f"{unknown['path'] or ''}.{unknown['name']}".strip(".")
    return RequestInvalid(f"Unknown parameter: '{param}'.", code="unknown_parameter", param=param)
