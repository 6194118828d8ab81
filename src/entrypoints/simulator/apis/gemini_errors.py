"""Google's errors. Source: ai.google.dev, troubleshooting and rate limits; google.rpc types (read 2026-11)."""

from collections.abc import Mapping
from typing import NoReturn

from typing_extensions import override

from entrypoints.simulator.apis.endpoint import Endpoint, Failure, Refused, encoded

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_RPC = "type.googleapis.com/google.rpc"


class GoogleEndpoint(Endpoint):
    """An endpoint with Google's errors: no headers say when to come back, the body does."""

    @override
    def failure(
        self,
        status: int,
        message: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Failure:
        kept = dict(headers or {})
        wait = kept.pop("retry-after", None)
        said = message or f"Status {status}: scripted."
        if code == "context_length_exceeded":
            said = "The input token count (9000) exceeds the maximum number of tokens allowed (8192)."
        details: list[dict[str, object]] = []
        if status == 429:
            period = "PerDay" if code == "insufficient_quota" else "PerMinute"
            said = "You exceeded your current quota, please check your plan and billing details."
            details.append(_quota(f"GenerateRequests{period}PerProjectPerModel-FreeTier"))
            wait = wait or ("36000" if code == "insufficient_quota" else None)
        if wait is not None:
            details.append({"@type": f"{_RPC}.RetryInfo", "retryDelay": f"{wait}s"})
        error: dict[str, object] = {"code": status, "message": said, "status": _STATUSES.get(status, "UNKNOWN")}
        return Failure(status, {"error": error | ({"details": details} if details else {})}, kept)

    @override
    def unauthorized(self) -> Failure:
        info = {"@type": f"{_RPC}.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
        said = "API key not valid. Please pass a valid API key."
        return Failure(400, {"error": {"code": 400, "message": said, "status": _STATUSES[400], "details": [info]}})

    def refuse(self, message: str) -> NoReturn:
        """Raise a 400."""
        raise Refused(self.failure(400, message))

    @override
    def error_block(self) -> bytes:
        return b"data: " + encoded(self.failure(500, "scripted error").body) + b"\r\n\r\n"

    @override
    def broken_block(self) -> bytes:
        return b'data: {"candidates": [{"content": {"par\r\n\r\n'


def _quota(identity: str) -> dict[str, object]:
    metric = "generativelanguage.googleapis.com/generate_content_free_tier_requests"
    violation = {"quotaMetric": metric, "quotaId": identity, "quotaValue": "20"}
    return {"@type": f"{_RPC}.QuotaFailure", "violations": [violation]}
