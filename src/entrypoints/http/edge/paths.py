"""From a path, as users write it, to an inference route: base-URL mistakes are forgiven (contract 4)."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from domain.providers import RESERVED_IDS
from entrypoints.http.error_styles import ErrorStyle
from entrypoints.http.inference.route import InferenceRoute

_SLASHES = re.compile("/{2,}")
_PROVIDER = re.compile(r"/(?P<id>[a-z0-9][a-z0-9_-]{0,62})(?P<rest>/.+)")
_ANTHROPIC = "anthropic"
_ANTHROPICS_OWN = re.compile(r"(?:/v1){0,2}/(?:messages|models)(?:/.+)?")


@dataclass(frozen=True, slots=True)
class Match:
    """What a path means: the routes by method, the provider it is pinned to, and the rest a route takes."""

    routes: Mapping[str, InferenceRoute]
    provider: str | None = None
    tail: str = ""
    error_style: ErrorStyle = field(init=False)  # of a path, whatever the method: its routes serve the same clients

    def __post_init__(self) -> None:
        object.__setattr__(self, "error_style", next(iter(self.routes.values())).error_style)


class RouteTable:
    """Finds the route of a path: one dictionary look-up for a path written as documented."""

    def __init__(self, routes: Iterable[InferenceRoute], provider_exists: Callable[[str], bool]) -> None:
        exact: dict[str, dict[str, InferenceRoute]] = {}
        prefixes: dict[str, dict[str, InferenceRoute]] = {}
        for route in routes:
            prefix = route.prefix
            where = exact if prefix is None else prefixes
            where.setdefault(prefix or route.path, {})[route.method] = route
        self._exact = {path: Match(methods) for path, methods in exact.items()}
        self._prefixes = prefixes
        self._provider_exists = provider_exists

    def find(self, path: str) -> Match | None:
        """None where no inference route could be meant. `path` is percent-decoded."""
        return self._exact.get(path) or self._forgive(path)

    def _forgive(self, path: str) -> Match | None:
        path = _SLASHES.sub("/", path)
        if len(path) > 1:
            path = path.removesuffix("/")
        found = self._versioned(path)
        if found is not None:
            return found
        pinned = _PROVIDER.fullmatch(path)
        if pinned is None or pinned["id"] in RESERVED_IDS:
            return None
        provider, rest = pinned["id"], pinned["rest"]
        found = self._versioned(rest)
        if found is None:
            return None
        if provider == _ANTHROPIC and _ANTHROPICS_OWN.fullmatch(rest) and not self._provider_exists(provider):
            return found
        return Match(found.routes, provider, found.tail)

    def _versioned(self, path: str) -> Match | None:
        """The route of a path with `/v1`, without it, or with it twice."""
        if path.startswith("/v1/"):
            return self._plain(path) or (self._plain(path[3:]) if path.startswith("/v1/v1/") else None)
        return self._plain("/v1" + path)

    def _plain(self, path: str) -> Match | None:
        found = self._exact.get(path)
        if found is not None:
            return found
        for prefix, routes in self._prefixes.items():
            if path.startswith(prefix) and len(path) > len(prefix):
                return Match(routes, None, path[len(prefix) :])
        return None
