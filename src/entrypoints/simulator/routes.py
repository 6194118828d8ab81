"""Which path is served by which wire format; the format's module is loaded at its first request."""

import re
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

from entrypoints.simulator.apis.endpoint import Call, Endpoint
from entrypoints.simulator.script import DEFAULT_PERSONA

_ROOTS = frozenset({"v1", "v1beta", "v1beta1", "v2", "api", "model"})
"""First segments that never name a persona."""


class Route(NamedTuple):
    """A method, a path and what in `apis` makes the one that answers there."""

    method: str
    pattern: re.Pattern[str]
    module: str
    name: str

    def maker(self) -> Callable[[Call], Endpoint]:
        """Load the format."""
        found: Callable[[Call], Endpoint] = getattr(
            import_module(f"entrypoints.simulator.apis.{self.module}"), self.name
        )
        return found


class Found(NamedTuple):
    """Where a path leads. Without a route the persona is still known."""

    persona: str
    path: str
    route: Route | None
    captures: dict[str, str]


def find(method: str, path: str) -> Found:
    """The route of a path with or without a persona before it."""
    whole = path.strip("/")
    first, _, rest = whole.partition("/")
    if first in _ROOTS:
        return _matched(DEFAULT_PERSONA, method, whole) or Found(DEFAULT_PERSONA, whole, None, {})
    named = _matched(first, method, rest) if rest else None
    return named or _matched(DEFAULT_PERSONA, method, whole) or Found(first, rest, None, {})


def _matched(persona: str, method: str, path: str) -> Found | None:
    for route in ROUTES:
        if route.method == method and (match := route.pattern.fullmatch(path)):
            return Found(persona, path, route, match.groupdict())
    return None


def _route(method: str, pattern: str, module: str, name: str) -> Route:
    return Route(method, re.compile(pattern), module, name)


_GOOGLE = r"v1(?:beta)?/models/(?P<model>.+):(?P<verb>%s)"
_AZURE = (
    "chat/completions|completions|embeddings|images/generations|images/edits|audio/speech|audio/transcriptions"
    "|audio/translations|responses"
)

ROUTES: tuple[Route, ...] = (
    _route("POST", _GOOGLE % "generateContent|streamGenerateContent", "gemini", "GenerateContent"),
    _route("POST", _GOOGLE % "countTokens", "gemini", "CountTokens"),
    _route("POST", _GOOGLE % "embedContent|batchEmbedContents", "gemini_embeddings", "EmbedContent"),
    _route("POST", _GOOGLE % "predict", "vertex", "VertexPredict"),
    _route("GET", r"v1beta/models", "gemini", "GeminiModels"),
    _route(
        "POST",
        r"v1(?:beta1)?/(?:projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/)?"
        r"publishers/(?P<publisher>[^/]+)/models/(?P<model>.+):(?P<verb>\w+)",
        "vertex",
        "published",
    ),
    _route("POST", r"token", "vertex", "Token"),
    _route("POST", r"model/(?P<model>.+)/(?P<verb>converse|converse-stream)", "bedrock", "Converse"),
    _route("POST", r"model/(?P<model>.+)/count-tokens", "bedrock", "CountTokens"),
    _route("POST", r"model/(?P<model>.+)/(?P<verb>invoke|invoke-with-response-stream)", "bedrock_invoke", "invoked"),
    _route("GET", r"foundation-models", "bedrock_lists", "FoundationModels"),
    _route("GET", r"inference-profiles", "bedrock_lists", "InferenceProfiles"),
    _route("POST", r"(?:sts)?", "bedrock_lists", "CallerIdentity"),
    _route("POST", r"v2/chat", "cohere", "Chat"),
    _route("POST", r"v2/embed", "cohere", "Embed"),
    _route("POST", r"v2/rerank", "cohere", "Rerank"),
    _route("POST", r"(?:v1/)?rerank", "rerank", "Rerank"),
    _route("POST", r"api/chat", "ollama", "Chat"),
    _route("POST", r"api/embed", "ollama", "Embed"),
    _route("GET", r"api/tags", "ollama", "Tags"),
    _route("GET", r"api/version", "ollama", "Version"),
    _route("POST", rf"openai/(?:deployments/(?P<deployment>[^/]+)|v1)/(?P<operation>{_AZURE})", "azure", "azure"),
    _route("POST", r"openai/(?P<operation>responses)", "azure", "azure"),
    _route("GET", r"openai/(?:v1/)?(?P<operation>models)", "azure", "azure"),
    _route(
        "POST",
        r"(?:hf-inference/)?models/(?P<model>.+)/pipeline/feature-extraction",
        "huggingface",
        "FeatureExtraction",
    ),
    _route("POST", r"(?:hf-inference/)?models/(?P<model>.+)", "huggingface", "task"),
    _route("POST", r"v1/chat/completions", "openai_chat", "Chat"),
    _route("GET", r"v1/models", "models", "model_list"),
    _route("GET", r"v1/models/(?P<model>.+)", "models", "OneModel"),
    _route("POST", r"v1/completions", "openai_completions", "Completions"),
    _route("POST", r"v1/embeddings", "openai_embeddings", "Embeddings"),
    _route("POST", r"v1/images/generations", "openai_images", "Images"),
    _route("POST", r"v1/images/edits", "openai_images", "ImageEdits"),
    _route("POST", r"v1/audio/speech", "openai_audio", "Speech"),
    _route("POST", r"v1/audio/(?P<task>transcriptions|translations)", "openai_audio", "Transcription"),
    _route("POST", r"v1/moderations", "openai_moderations", "Moderations"),
    _route("POST", r"v1/messages", "anthropic_messages", "Messages"),
    _route("POST", r"v1/messages/count_tokens", "anthropic_messages", "CountTokens"),
    _route("POST", r"v1/responses", "openai_responses", "Responses"),
    _route("POST", r"v1/responses/input_tokens", "openai_responses", "InputTokens"),
    _route("GET", r"v1/responses/(?P<id>[^/]+)", "openai_responses", "KeptResponse"),
    _route("DELETE", r"v1/responses/(?P<id>[^/]+)", "openai_responses", "DeletedResponse"),
    _route("POST", r"v1/responses/(?P<id>[^/]+)/cancel", "openai_responses", "CancelledResponse"),
    _route("GET", r"v1/responses/(?P<id>[^/]+)/input_items", "openai_responses", "InputItems"),
)
