"""Finds the message, the codes and the waits in the many shapes of providers' error bodies.

Source: OpenAI `{"error": {…}}`; Google `[{"error": {…, "details": […]}}]`; Hugging Face, xAI, Ollama
`{"error": "…"}`; Cloudflare `{"errors": [{…}]}`; FastAPI and Mistral `{"detail": …}`; Cerebras, Mistral and
older vLLM flat `{"message", "type", "code"}`; a gateway's error with its upstream's JSON as text inside
(read 2026-11).
"""

from collections.abc import Mapping

import msgspec

from adapters.wire.error_words import ErrorWords, both_ends, words_of
from adapters.wire.raw_json import UNDECODABLE

MAX_BODY_BYTES = 64 * 1024
"""Of an error body, more is never read (R-34)."""

MAX_MESSAGE_CHARS = 1024

_NO_WORDS = ErrorWords()

_decode = msgspec.json.Decoder().decode


class ErrorFacts(msgspec.Struct):
    """What an error body says. Codes are texts, also where the provider sends numbers.

    `message`, `type`, `code` and `param` are what a person is shown; `found` is everything that may tell what the
    refusal means. `page` is true for an HTML page, or another sign that no API of a model has answered.
    """

    message: str = ""
    type: str = ""
    code: str = ""
    param: str | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()  # OpenRouter repeats the rate-limit headers in the body
    flagged: bool = False  # OpenRouter: a guardrail stopped the prompt
    relayed: bool = False  # OpenRouter: the words are those of a provider behind it, about a key that is not ours
    page: bool = False
    structured: bool = False  # it was JSON with something in it
    found: ErrorWords = _NO_WORDS

    @property
    def says(self) -> str:
        """Every text of the body, to look for words in."""
        return self.found.text or self.message

    @property
    def words(self) -> tuple[str, ...]:
        """Every code-like word, the outermost first, to look up in tables."""
        return self.found.codes


def read_error(body: bytes) -> ErrorFacts:
    """Never raises: a body that is no JSON is its own message, HTML is none."""
    for decodable in (body, body.decode("utf-8", "replace").lstrip("\ufeff")):
        try:
            value: object = _decode(decodable)
        except UNDECODABLE:
            continue
        return _facts(value)
    return _plain(body)


def error_facts(error: object) -> ErrorFacts:
    """The same for the value of an `error` field."""
    return _facts({"error": error})


def _plain(body: bytes) -> ErrorFacts:
    text = body[: 8 * MAX_MESSAGE_CHARS].decode("utf-8", "replace").strip().lstrip("\ufeff").strip()
    if text.startswith("<"):
        return ErrorFacts(page=True)
    # Cloudflare writes "error code: 1020" as plain text where a program asks.
    page = text[:24].lower().startswith("error code:")
    return ErrorFacts(message=text[:MAX_MESSAGE_CHARS], page=page, found=ErrorWords(text=both_ends(text)))


def _facts(value: object) -> ErrorFacts:
    found = words_of(value)
    if isinstance(value, list):
        value = value[0] if value else None
    if not isinstance(value, dict):
        return ErrorFacts(message=value if isinstance(value, str) else "", found=found)
    error = value.get("error")
    if isinstance(error, list):
        error = "; ".join(item for item in error if isinstance(item, str))
    if isinstance(error, dict):
        facts = _object_facts(error)
        facts.message = facts.message or _detail(value.get("detail")) or _text(value.get("message"))
    elif isinstance(error, str):
        facts = _object_facts(value)
        facts.message = error or facts.message
    elif isinstance(errors := value.get("errors"), list) and errors and isinstance(errors[0], dict):
        facts = _object_facts(errors[0])
    else:
        facts = _object_facts(value)
        facts.message = facts.message or _detail(value.get("detail")) or _first(found.texts)
    facts.found = found
    facts.structured = bool(value)
    return facts


def _object_facts(error: Mapping[str, object]) -> ErrorFacts:
    facts = ErrorFacts(
        message=_text(error.get("message")) or _text(error.get("msg")) or _text(error.get("Message")),
        type=_text(error.get("type")) or _text(error.get("status")),
        code=_text(error.get("code")) or _text(error.get("error_code")),
        param=_text(error.get("param")) or None,
    )
    details = error.get("details")
    if isinstance(details, dict):  # Anthropic's
        facts.code = facts.code or _text(details.get("error_code"))
    metadata = error.get("metadata")
    if isinstance(metadata, dict):
        _openrouter_metadata(metadata, facts)
    return facts


def _openrouter_metadata(metadata: Mapping[str, object], facts: ErrorFacts) -> None:
    facts.flagged = any(name in metadata for name in ("reasons", "flagged_input", "moderation_error"))
    raw = _text(metadata.get("raw"))
    facts.relayed = bool(raw and metadata.get("provider_name"))
    if raw and raw not in facts.message:
        facts.message = f"{facts.message} ({raw})" if facts.message else raw
    headers = metadata.get("headers")
    if isinstance(headers, dict):
        facts.headers = tuple((str(name).encode(), _text(value).encode()) for name, value in headers.items())


def _detail(detail: object) -> str:
    if isinstance(detail, list):
        return "; ".join(filter(None, (_problem(item) for item in detail)))
    if isinstance(detail, dict):
        return _text(detail.get("message")) or _text(detail.get("msg")) or _text(detail.get("error"))
    return _text(detail)


def _problem(item: object) -> str:
    if not isinstance(item, dict):
        return _text(item)
    where = item.get("loc")
    path = ".".join(str(step) for step in where) if isinstance(where, list) else ""
    message = _text(item.get("msg")) or _text(item.get("message"))
    return f"{path}: {message}" if path and message else message


def _first(texts: tuple[str, ...]) -> str:
    return texts[0] if texts else ""


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""
