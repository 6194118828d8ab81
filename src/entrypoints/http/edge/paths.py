"""From a path, as users write it, to an inference route: base-URL mistakes are forgiven (contract 4)."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from domain.providers import RESERVED_IDS
from entrypoints.http.error_styles import ErrorStyle
from entrypoints.http.google_errors import GOOGLE_ERRORS
from entrypoints.http.inference.route import InferenceRoute

_SLASHES = re.compile("/{2,}")
_PROVIDER = re.compile(r"/(?P<id>[a-z0-9][a-z0-9_-]{0,62})(?P<rest>/.+)")
_ANTHROPIC, _OPENAI = "anthropic", "openai"
_ANTHROPICS_OWN = re.compile(r"(?:/v1){0,2}/(?:messages|models)(?:/.+)?")

_DEPLOYED = re.compile(
    r"/openai/deployments/(?P<model>.+?)/(?P<operation>chat/completions|completions|embeddings|images/generations"
    r"|images/edits|audio/speech|audio/transcriptions|audio/translations|responses)"
)
"""Azure's clients name the model in the path. Source: openai-python 3.52, `lib/azure.py` (2026-11)."""

_GOOGLES = re.compile(
    r"(?:/v1)?(?:/v1(?:alpha|beta\d?))+(?:/openai(?P<compatible>/.+)|(?P<rest>/.+))"
    r"|(?:/v1)*(?P<call>/models/.+:(?:generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents))"
)
"""Google's addresses: what is not at `/v1` is its own; there only what says what it does. google-genai asks at `/v1`
since 3.0, and at `/v1beta` before. Below `/v1beta/openai` Google is compatible with OpenAI.
Source: google-genai 3.6 and 2.x (2026-11)."""

_GOOGLES_BASE, _GOOGLES_NAMES = "/v1beta", frozenset({"gemini", "google"})

_COHERES_VERSION, _COHERES_RERANK = "v2", "/v2/rerank"
_AZURE_VERSION = b"api-version="


@dataclass(frozen=True, slots=True)
class Match:
    """What a path means: the routes by method, the provider it is pinned to, and the rest a route takes.

    `deployment` is the model that an Azure client asks for by its path.
    """

    routes: Mapping[str, InferenceRoute]
    provider: str | None = None
    tail: str = ""
    deployment: str = ""
    error_style: ErrorStyle = field(init=False)  # of a path, whatever the method: its routes serve the same clients

    def __post_init__(self) -> None:
        object.__setattr__(self, "error_style", next(iter(self.routes.values())).error_style)


class RouteTable:
    """Finds the route of a path: one dictionary look-up for a path written as documented."""

    def __init__(self, routes: Iterable[InferenceRoute], provider_exists: Callable[[str], bool]) -> None:
        exact: dict[str, dict[str, InferenceRoute]] = {}
        around: dict[tuple[str, str], dict[str, InferenceRoute]] = {}
        for route in routes:
            if route.prefix is None:
                exact.setdefault(route.path, {})[route.method] = route
            else:
                around.setdefault((route.prefix, route.suffix), {})[route.method] = route
        self._exact = {path: Match(methods) for path, methods in exact.items()}
        self._around = sorted(around.items(), key=lambda each: -len(each[0][1]))  # the longest ending is the closest
        self._provider_exists = provider_exists

    def find(self, path: str, query: bytes = b"") -> Match | None:
        """None where no inference route could be meant. `path` is percent-decoded."""
        return self._exact.get(path) or self._forgive(path, query)

    def _forgive(self, path: str, query: bytes) -> Match | None:
        path = _SLASHES.sub("/", path)
        if len(path) > 1:
            path = path.removesuffix("/")
        if path == _COHERES_RERANK:
            return self._exact.get("/v1/rerank")
        found = self._versioned(path)
        if found is not None:
            return found
        if (deployed := _DEPLOYED.fullmatch(path)) is not None:
            found = self._exact.get(f"/v1/{deployed['operation']}")
            return None if found is None else Match(found.routes, deployment=deployed["model"])
        pinned = _PROVIDER.fullmatch(path)
        if pinned is None or pinned["id"] in RESERVED_IDS:
            return None
        provider, rest = pinned["id"], pinned["rest"]
        if provider == _COHERES_VERSION and not self._provider_exists(provider):
            return None
        found = self._versioned(rest)
        if found is None:
            return None
        if provider == _ANTHROPIC and _ANTHROPICS_OWN.fullmatch(rest) and not self._provider_exists(provider):
            return found
        if provider in _GOOGLES_NAMES and found.error_style is GOOGLE_ERRORS and not self._provider_exists(provider):
            return found
        if provider == _OPENAI and (
            not self._provider_exists(provider) or (_AZURE_VERSION in query and not rest.startswith("/v1/"))
        ):
            return found
        return Match(found.routes, provider, found.tail)

    def _versioned(self, path: str) -> Match | None:
        """The route of a path with `/v1`, without it, or with it twice; Google's by its own version."""
        if (":" in path or "/v1beta" in path or "/v1alpha" in path) and (
            google := _GOOGLES.fullmatch(path)
        ) is not None:
            if google["compatible"]:
                return self._plain("/v1" + google["compatible"])
            return self._plain(_GOOGLES_BASE + (google["rest"] or google["call"]))
        if path.startswith("/v1/"):
            return self._plain(path) or (self._plain(path[3:]) if path.startswith("/v1/v1/") else None)
        return self._plain("/v1" + path)

    def _plain(self, path: str) -> Match | None:
        found = self._exact.get(path)
        if found is not None:
            return found
        for (prefix, suffix), routes in self._around:
            if path.startswith(prefix) and path.endswith(suffix) and len(path) > len(prefix) + len(suffix):
                return Match(routes, None, path[len(prefix) : len(path) - len(suffix)])
        return None
