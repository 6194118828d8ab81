"""Addresses of other APIs that are not served here, and what whoever asks for one is told, in that API's own shape.

Loaded by the first request that finds nothing.
"""

import re
from typing import Final, NamedTuple

import msgspec
from typing_extensions import override

from domain.errors import NotFound
from entrypoints.http.error_styles import ANTHROPIC_ERRORS, OPENAI_ERRORS, ErrorStyle, OpenAIErrors
from entrypoints.http.errors import ErrorAnswer
from entrypoints.http.google_errors import GOOGLE_ERRORS

_encode = msgspec.json.Encoder().encode


class _OllamaErrors(OpenAIErrors):
    """One text. Source: ollama-python 0.6.3, `ResponseError` (2026-11)."""

    @override
    def plain(self, answer: ErrorAnswer, request_id: str) -> tuple[int, bytes]:
        return answer.status, _encode({"error": answer.error.message})


class _CohereErrors(OpenAIErrors):
    """One text beside the request's id. Source: cohere-python 7.3, `NotFoundError` (2026-11)."""

    @override
    def plain(self, answer: ErrorAnswer, request_id: str) -> tuple[int, bytes]:
        return answer.status, _encode({"id": request_id, "message": answer.error.message})


class Absent(NamedTuple):
    """What is said of an address, and how its API's clients read errors."""

    message: str
    style: ErrorStyle = OPENAI_ERRORS

    def error(self) -> NotFound:
        return NotFound(self.message, code="not_found")


_AT_PROVIDER: Final = r"(?:/[a-z0-9][a-z0-9_-]{0,62})?"
_PROVIDER: Final = _AT_PROVIDER + r"(?:/v1){1,2}"
_OPENAIS: Final = {
    "batches": "Batches are",
    "files|uploads": "Files are",
    "realtime": "The Realtime API is",
    "assistants": "The Assistants API is",
    "threads": "Threads are",
    "vector_stores": "Vector stores are",
    "fine_tuning|fine-tunes": "Fine-tuning is",
    "evals": "Evals are",
    "containers": "Containers are",
    "conversations": "Stored conversations are",
    "videos": "Videos are",
    "images/variations": "Variations of images are",
    "responses/compact": "Compacting a response is",
    "chatkit": "ChatKit is",
    "organization": "The administration of an organization is",
    "skills": "Skills are",
    r"chat/completions/.+": "Stored chat completions are",
}
_ANTHROPICS: Final = {
    "messages/batches": "Message batches are",
    "complete": "Text completions are",
    "sessions|agents|environments": "Managed agents are",
}


def _not_served(what: str) -> str:
    return (
        f"{what} not served by this gateway: it passes requests on to models and keeps nothing of its own. Ask the "
        "provider itself for this; docs/endpoints.md lists what there is."
    )


_OLLAMA: Final = (
    "This is an address of Ollama's own API, which is not served by this gateway. Use it as an OpenAI-compatible "
    "server: the base URL ends in /v1, chats go to /v1/chat/completions, and GET /v1/models lists the models."
)
_COHERE: Final = (
    "This is an address of Cohere's v2 API, which is not served by this gateway. Chats go to /v1/chat/completions, "
    "embeddings to /v1/embeddings, ranking to /v1/rerank (or /v2/rerank)."
)
_GOOGLE: Final = (
    "Of Google's API this gateway serves generateContent, streamGenerateContent, countTokens, embedContent and "
    "batchEmbedContents of /v1beta/models/{model}, and the list of models: it passes requests on and keeps nothing of "
    "its own, so files, caches and batches are asked of Google itself. Send a file's content as inlineData."
)
_TABLE: Final = (
    (rf"(?:/upload)?{_AT_PROVIDER}(?:/v1)?/v1(?:alpha|beta\d?)(?:/.*)?", Absent(_GOOGLE, GOOGLE_ERRORS)),
    *(
        (rf"{_PROVIDER}/(?:{path})(?:/.*)?", Absent(_not_served(what), ANTHROPIC_ERRORS))
        for path, what in _ANTHROPICS.items()
    ),
    *((rf"{_PROVIDER}/(?:{path})(?:/.*)?", Absent(_not_served(what))) for path, what in _OPENAIS.items()),
    (
        r"(?:/v1)?/api/(?:chat|generate|tags|show|embed|embeddings|ps|version|pull|push|create|copy|delete|blobs/.*)",
        Absent(_OLLAMA, _OllamaErrors()),
    ),
    (r"(?:/v1)?/v2/(?:chat|embed|classify|tokenize|detokenize|models.*)", Absent(_COHERE, _CohereErrors())),
    (
        r"/api/v1(?:/.*)?",
        Absent("There is nothing below /api/v1: the base URL of this gateway ends in /v1, without /api before it."),
    ),
)
_PATTERNS: Final = tuple((re.compile(pattern), said) for pattern, said in _TABLE)


def absent(path: str) -> Absent | None:
    """None for an address of which nothing is known. `path` is percent-decoded."""
    path = re.sub("/{2,}", "/", path).rstrip("/")
    return next((said for pattern, said in _PATTERNS if pattern.fullmatch(path)), None)
