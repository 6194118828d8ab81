"""Anthropic's errors and rate-limit headers. Source: platform.claude.com, errors and rate limits (read 2026-11)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from typing_extensions import override

from entrypoints.simulator.apis.endpoint import Endpoint, Failure, Refused, event

_TYPES = {
    400: "invalid_request_error",
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

_CODED = {
    "context_length_exceeded": "prompt is too long: 9000 tokens > 8192 maximum",
    "insufficient_quota": "This request would exceed your organization's spend limit.",
}


class AnthropicEndpoint(Endpoint):
    """An endpoint with Anthropic's errors and headers."""

    @override
    def failure(
        self,
        status: int,
        message: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Failure:
        said = message or _CODED.get(code or "") or f"Status {status}: scripted."
        error: dict[str, object] = {"type": _TYPES.get(status, "api_error"), "message": said}
        if code == "insufficient_quota":
            error["details"] = {"error_code": "enforced_spend_limit_reached"}
        body = {"type": "error", "error": error, "request_id": self.request_id}
        limited = limits(remaining=0) if status == 429 and code != "insufficient_quota" else {}
        return Failure(status, body, {"request-id": self.request_id, **limited, **(headers or {})})

    @property
    def request_id(self) -> str:
        """What Anthropic calls it, in the header and in errors."""
        return f"req_sim{self.call.number}"

    @override
    def headers(self) -> dict[str, str]:
        return {"request-id": self.request_id, **limits(remaining=999)}

    def refuse(self, message: str) -> NoReturn:
        """Raise a 400."""
        raise Refused(self.failure(400, message))

    @override
    def error_block(self) -> bytes:
        return event(self.failure(529, "scripted error").body, "error")

    @override
    def broken_block(self) -> bytes:
        return b'event: content_block_delta\ndata: {"type": "content_block_de\n\n'


def limits(remaining: int) -> dict[str, str]:
    """The rate-limit headers of requests and of tokens."""
    reset = (datetime.now(UTC) + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    found: dict[str, str] = {}
    for what, factor in (("requests", 1), ("tokens", 1000), ("input-tokens", 1000), ("output-tokens", 1000)):
        name = f"anthropic-ratelimit-{what}"
        found |= {f"{name}-limit": str(1000 * factor), f"{name}-remaining": str(remaining * factor)}
        found[f"{name}-reset"] = reset
    return found
