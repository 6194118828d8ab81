"""Error bodies as OpenAI writes them, by status. Source: OpenAI's error table (read 2026-11)."""

from typing import Any

_ERRORS: dict[int, tuple[str, str | None, str | None, str]] = {
    400: ("invalid_request_error", "invalid_value", "messages[0].content", "Invalid value: scripted."),
    401: ("invalid_request_error", "invalid_api_key", None, "Incorrect API key provided."),
    402: ("insufficient_quota", "credit_balance_exhausted", None, "Your credit balance is exhausted."),
    403: ("permission_error", "forbidden", None, "This key may not do that."),
    404: ("invalid_request_error", "model_not_found", None, "The model does not exist."),
    408: ("server_error", "request_timeout", None, "The request timed out."),
    409: ("conflict", None, None, "The lock could not be had."),
    413: ("invalid_request_error", "request_too_large", None, "The request is too large."),
    422: ("invalid_request_error", "unprocessable", "messages", "The request cannot be processed."),
    429: ("requests", "rate_limit_exceeded", None, "Rate limit reached: scripted."),
    500: ("server_error", None, None, "The server had an error."),
    502: ("server_error", None, None, "Bad gateway."),
    503: ("server_error", "server_is_overloaded", None, "The server is overloaded."),
    504: ("server_error", None, None, "Gateway timeout."),
    529: ("overloaded_error", "overloaded", None, "Overloaded."),
}

_CODED: dict[str, tuple[str, str | None, str]] = {
    "insufficient_quota": (
        "insufficient_quota",
        None,
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    "context_length_exceeded": (
        "invalid_request_error",
        "messages",
        "This model's maximum context length is 8192 tokens.",
    ),
}


def error_body(status: int, message: str | None = None, code: str | None = None) -> dict[str, Any]:
    """OpenAI's envelope for this status."""
    if message is None and code in _CODED:
        kind, param, message = _CODED[code]
        return {"error": {"message": message, "type": kind, "param": param, "code": code}}
    kind, usual_code, param, usual_message = _ERRORS.get(status, ("server_error", None, None, f"Status {status}."))
    return {
        "error": {
            "message": message or usual_message,
            "type": kind,
            "param": param if message is None else None,
            "code": code or usual_code,
        }
    }
