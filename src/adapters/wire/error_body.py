"""Finds the message, type, code and waits in the many shapes of providers' error bodies.

Source: OpenAI `{"error": {…}}`; Google `[{"error": {…, "details": […]}}]`; Hugging Face, xAI, Ollama
`{"error": "…"}`; Cloudflare `{"errors": [{…}]}`; FastAPI and Mistral `{"detail": …}`; Cerebras, Mistral and
older vLLM flat `{"message", "type", "code"}` (read 2026-11).
"""

from collections.abc import Mapping

import msgspec

from adapters.wire.undecodable import UNDECODABLE

MAX_BODY_BYTES = 64 * 1024
"""Of an error body, more is never read (R-34)."""

MAX_MESSAGE_CHARS = 1024

_decode = msgspec.json.Decoder().decode


class ErrorFacts(msgspec.Struct):
    """What an error body says. Codes are texts, also where the provider sends numbers."""

    message: str = ""
    type: str = ""
    code: str = ""
    param: str | None = None
    retry_delay: str = ""  # Google's RetryInfo
    quota_ids: tuple[str, ...] = ()  # Google's QuotaFailure
    reason: str = ""  # Google's ErrorInfo
    estimated_seconds: float | None = None  # Hugging Face: until the model is loaded
    headers: tuple[tuple[bytes, bytes], ...] = ()  # OpenRouter repeats the rate-limit headers in the body
    flagged: bool = False  # OpenRouter: a guardrail stopped the prompt

    @property
    def words(self) -> tuple[str, ...]:
        """Every code-like word, to look up in tables."""
        return tuple(word for word in (self.code, self.type, self.reason) if word)


def read_error(body: bytes) -> ErrorFacts:
    """Never raises: a body that is no JSON is its own message, HTML is none."""
    try:
        value: object = _decode(body)
    except UNDECODABLE:
        text = body[:MAX_MESSAGE_CHARS].decode("utf-8", "replace").strip()
        return ErrorFacts(message="" if text.startswith("<") else text)
    return _facts(value)


def error_facts(error: object) -> ErrorFacts:
    """The same for the value of an `error` field."""
    return _facts({"error": error})


def _facts(value: object) -> ErrorFacts:
    if isinstance(value, list):
        value = value[0] if value else None
    if not isinstance(value, dict):
        return ErrorFacts(message=value if isinstance(value, str) else "")
    error = value.get("error")
    if isinstance(error, list):
        error = "; ".join(item for item in error if isinstance(item, str))
    if isinstance(error, dict):
        facts = _object_facts(error)
    elif isinstance(error, str):
        facts = _object_facts(value)
        facts.message = error or facts.message
    elif isinstance(errors := value.get("errors"), list) and errors and isinstance(errors[0], dict):
        facts = _object_facts(errors[0])
    else:
        facts = _object_facts(value)
        facts.message = facts.message or _detail(value.get("detail"))
    estimated = value.get("estimated_time")
    if isinstance(estimated, (int, float)):
        facts.estimated_seconds = float(estimated)
    return facts


def _object_facts(error: Mapping[str, object]) -> ErrorFacts:
    facts = ErrorFacts(
        message=_text(error.get("message")) or _text(error.get("msg")),
        type=_text(error.get("type")) or _text(error.get("status")),
        code=_text(error.get("code")),
        param=_text(error.get("param")) or None,
    )
    details = error.get("details")
    if isinstance(details, dict):  # Anthropic's
        facts.code = facts.code or _text(details.get("error_code"))
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict):
            _google_detail(detail, facts)
    metadata = error.get("metadata")
    if isinstance(metadata, dict):
        _openrouter_metadata(metadata, facts)
    return facts


def _google_detail(detail: Mapping[str, object], facts: ErrorFacts) -> None:
    facts.retry_delay = _text(detail.get("retryDelay")) or facts.retry_delay
    facts.reason = _text(detail.get("reason")) or facts.reason
    violations = detail.get("violations")
    for violation in violations if isinstance(violations, list) else ():
        if isinstance(violation, dict) and (quota_id := _text(violation.get("quotaId"))):
            facts.quota_ids = (*facts.quota_ids, quota_id)


def _openrouter_metadata(metadata: Mapping[str, object], facts: ErrorFacts) -> None:
    facts.flagged = any(name in metadata for name in ("reasons", "flagged_input", "moderation_error"))
    raw = _text(metadata.get("raw"))
    if raw and raw not in facts.message:
        facts.message = f"{facts.message} ({raw})" if facts.message else raw
    headers = metadata.get("headers")
    if isinstance(headers, dict):
        facts.headers = tuple((str(name).encode(), _text(value).encode()) for name, value in headers.items())


def _detail(detail: object) -> str:
    if isinstance(detail, list):
        return "; ".join(filter(None, (_problem(item) for item in detail)))
    if isinstance(detail, dict):
        return _text(detail.get("message")) or _text(detail.get("msg"))
    return _text(detail)


def _problem(item: object) -> str:
    if not isinstance(item, dict):
        return _text(item)
    where = item.get("loc")
    path = ".".join(str(step) for step in where) if isinstance(where, list) else ""
    message = _text(item.get("msg")) or _text(item.get("message"))
    return f"{path}: {message}" if path and message else message


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""
