"""How an error is written down for the client: each ingress's API has a shape of its own, decided in one place."""

import re
from typing import Final, Protocol

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from typing_extensions import override

from entrypoints.http.errors import ErrorAnswer, describe_and_log

_encode = msgspec.json.Encoder().encode


class ErrorStyle(Protocol):
    """Writes errors as one API's clients read them.

    `ping` is what keeps a silent stream alive for them; `id_headers` are where they look for the request's id.
    """

    ping: bytes
    id_headers: tuple[bytes, ...]

    def plain(self, answer: ErrorAnswer, request_id: str) -> tuple[int, bytes]:
        """The status and the JSON body of an answer that is an error."""
        ...

    def event(self, answer: ErrorAnswer, request_id: str, events_before: int = 0) -> bytes:
        """The last server-sent event of a stream that had begun, behind `events_before` others."""
        ...


class OpenAIErrors(ErrorStyle):
    """Contract section 6. OpenAI's SDKs raise on a `data` line whose object has `error`."""

    ping = b": ping\n\n"
    id_headers = (b"x-request-id",)

    @override
    def plain(self, answer: ErrorAnswer, request_id: str) -> tuple[int, bytes]:
        return answer.status, answer.body(request_id)

    @override
    def event(self, answer: ErrorAnswer, request_id: str, events_before: int = 0) -> bytes:
        return b"data: " + _encode({"error": answer.error}) + b"\n\n"


class AnthropicErrors(ErrorStyle):
    """Anthropic's shape, types and statuses. Its SDKs drop events without an `event:` line.

    Source: wire facts on Anthropic, section 6; anthropic-python 2.11 (November 2026). Claude Code shortens its
    conversation where a message says `prompt is too long`.
    """

    ping = b'event: ping\ndata: {"type": "ping"}\n\n'
    id_headers = (b"x-request-id", b"request-id")

    @override
    def plain(self, answer: ErrorAnswer, request_id: str) -> tuple[int, bytes]:
        status, body = _as_anthropic(answer, request_id)
        return status, _encode(body)

    @override
    def event(self, answer: ErrorAnswer, request_id: str, events_before: int = 0) -> bytes:
        return b"event: error\ndata: " + _encode(_as_anthropic(answer, request_id)[1]) + b"\n\n"


_TYPE_OF_STATUS = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_STATUS = {503: 529}
_COUNTS = re.compile(r"\d{3,}")


def _as_anthropic(answer: ErrorAnswer, request_id: str) -> tuple[int, dict[str, object]]:
    spent = answer.error.type == "insufficient_quota" and answer.error.code != "budget_exceeded"  # a provider's credit
    status = 402 if spent else _STATUS.get(answer.status, answer.status)
    kind = _TYPE_OF_STATUS.get(status) or ("api_error" if status >= 500 else "invalid_request_error")
    error: dict[str, object] = {"type": kind, "message": _message(answer)}
    if answer.error.code:
        error["details"] = {"error_code": answer.error.code}
    return status, {"type": "error", "error": error, "request_id": request_id}


def _message(answer: ErrorAnswer) -> str:
    message = answer.error.message
    if answer.error.code != "context_length_exceeded" or message.startswith("prompt is too long"):
        return message
    counts = sorted({int(count) for count in _COUNTS.findall(message.replace(",", ""))})
    if len(counts) < 2:
        return f"prompt is too long: {message}"
    return f"prompt is too long: {counts[-1]} tokens > {counts[-2]} maximum"


class _AnthropicAnswers(ErrorStyle):
    """Anthropic's shape for its clients at another API's route. A stream, once it has begun, stays that API's."""

    def __init__(self, own: ErrorStyle) -> None:
        self._own = own
        self.ping = own.ping
        self.id_headers = ANTHROPIC_ERRORS.id_headers

    @override
    def plain(self, answer: ErrorAnswer, request_id: str) -> tuple[int, bytes]:
        return ANTHROPIC_ERRORS.plain(answer, request_id)

    @override
    def event(self, answer: ErrorAnswer, request_id: str, events_before: int = 0) -> bytes:
        return self._own.event(answer, request_id, events_before)


OPENAI_ERRORS = OpenAIErrors()
ANTHROPIC_ERRORS = AnthropicErrors()

ANTHROPIC_VERSION: Final = b"anthropic-version"
"""The header that Anthropic's clients send with every request: they read errors in its shape, at any route."""


def for_anthropic(style: ErrorStyle) -> ErrorStyle:
    """What a route's style becomes for a request with `ANTHROPIC_VERSION`."""
    return style if isinstance(style, AnthropicErrors) else _AnthropicAnswers(style)


def answer_error(request: Request[object, object, State], error: Exception) -> Response[bytes]:
    """Litestar's exception handler for every exception of every route, its own included."""
    request_id = str(request.scope.get("state", {}).get("request_id", ""))
    answer = describe_and_log(error, request_id)
    anthropics = any(name == ANTHROPIC_VERSION for name, _ in request.scope["headers"])
    status, body = (ANTHROPIC_ERRORS if anthropics else OPENAI_ERRORS).plain(answer, request_id)
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    return Response(body, status_code=status, media_type="application/json", headers=headers)
