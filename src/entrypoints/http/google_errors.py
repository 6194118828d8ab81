"""Errors as Google's clients read them: a status word beside the number, and details by type.

    {"error": {"code": 429, "message": "…", "status": "RESOURCE_EXHAUSTED", "details": [
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "12s"}]}}

Source: google.rpc.Status, google.rpc.Code; google-genai 3.6 `errors.py` (read 2026-11).
"""

from typing import Final

import msgspec
from typing_extensions import override

from entrypoints.http.error_styles import ErrorStyle
from entrypoints.http.errors import ErrorAnswer

GOOGLES_CLIENT: Final = b"x-goog-api-client"
"""The header in which Google's clients name themselves. Source: google-genai 3.6, @google/genai (read 2026-11)."""

_TYPES: Final = "type.googleapis.com/google.rpc."
_DOMAIN: Final = "open-model-gateway"
_STATUS: Final = {
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}

_encode = msgspec.json.Encoder().encode


class GoogleErrors(ErrorStyle):
    """Google's shape. Its SDKs raise on an event whose object begins with `error`.

    What keeps a silent stream alive is a blank line: google-genai 3.6 takes a comment for an answer, and fails on it.
    """

    ping = b"\n\n"
    id_headers = (b"x-request-id",)

    @override
    def plain(self, answer: ErrorAnswer, request_id: str) -> tuple[int, bytes]:
        return answer.status, _encode({"error": _status_of(answer, request_id)})

    @override
    def event(self, answer: ErrorAnswer, request_id: str, events_before: int = 0) -> bytes:
        return b"data: " + _encode({"error": _status_of(answer, request_id)}) + b"\n\n"


def _status_of(answer: ErrorAnswer, request_id: str) -> dict[str, object]:
    error = answer.error
    word = _STATUS.get(answer.status) or ("INTERNAL" if answer.status >= 500 else "INVALID_ARGUMENT")
    details: list[dict[str, object]] = []
    if error.code:
        details.append({"@type": _TYPES + "ErrorInfo", "reason": error.code.upper(), "domain": _DOMAIN})
    if error.param:
        violation = {"field": error.param, "description": error.message}
        details.append({"@type": _TYPES + "BadRequest", "fieldViolations": [violation]})
    wait = next((value for name, value in answer.headers if name == b"retry-after"), None)
    if wait is not None:
        details.append({"@type": _TYPES + "RetryInfo", "retryDelay": f"{wait.decode()}s"})
    details.append({"@type": _TYPES + "RequestInfo", "requestId": request_id})
    return {"code": answer.status, "message": error.message, "status": word, "details": details}


GOOGLE_ERRORS = GoogleErrors()
