"""Azure OpenAI: deployments with an `api-version`, and the v1 endpoint that needs none.

Source: openai-python 3.52 (`lib/azure.py`), learn.microsoft.com api-version lifecycle (read 2026-11). A model is
called by its deployment's name: in the path (classic) or in the body (v1). A key goes in `api-key`, a token of
Entra ID behind `Bearer`. Rate-limit resets are whole seconds; negative counts mean that it does not know.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, TypeVar
from urllib.parse import quote

import httpx
import msgspec
from typing_extensions import override

from adapters.constraints.conform import Conformer
from adapters.providers.capability import Address, HeaderSource, HttpCapability, fixed
from adapters.providers.dialect import Dialect
from adapters.providers.kind import BuildContext, Entry
from adapters.providers.openai_compatible import adapter
from adapters.providers.openai_compatible.adapter import OpenAIParts
from adapters.providers.upstream import HttpUpstream, KeyHeaders
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.fidelity import Fidelity
from domain.inference import InferenceRequest
from domain.keys import ProviderKey
from domain.ports.providers import Capabilities, ProviderAnswer, ProviderCall, ProviderStream
from domain.providers import ModelPlace

R = TypeVar("R", bound=InferenceRequest)


_DATED = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
_STREAM_USAGE_SINCE: Final = "2024-09-01"
_OUTSIDE_DEPLOYMENTS: Final = frozenset({"responses"})
_PASTED = re.compile(r"/(?:openai|api/projects|models|anthropic|v1)(?:/.*)?$")
_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")  # a JSON web token; keys have no dots


def build(context: BuildContext) -> Capabilities:
    """Every endpoint Azure has, at the places of the models' deployments."""
    version = _version(context)
    entry = context.entry
    if version is not None and _DATED.fullmatch(version) and version < _STREAM_USAGE_SINCE:
        entry = msgspec.structs.replace(entry, quirks=msgspec.structs.replace(entry.quirks, stream_usage=False))
    site = _Site(context.base, version, entry.addresses)
    parts = _AzureParts(replace(context, entry=entry), site.locate, AzureHeaders(context.user_agent))
    return parts.capabilities(site.models(context.provider.settings.model_places, context.provider.settings.models))


def fidelity(entry: Entry) -> dict[str, Fidelity]:
    """The parameter tables, by endpoint: those of OpenAI's API."""
    return adapter.fidelity(entry)


class AzureHeaders:
    """A resource's key, or a token of Entra ID: they tell themselves apart."""

    def __init__(self, user_agent: str) -> None:
        self._keys = KeyHeaders(user_agent, header="api-key", prefix="")
        self._tokens = KeyHeaders(user_agent)

    def of(self, key: ProviderKey | None) -> httpx.Headers:
        is_token = key is not None and _TOKEN.fullmatch(key.secret.reveal().strip()) is not None
        return (self._tokens if is_token else self._keys).of(key)


class _Site:
    """Where things are at one resource. A `version` with a date is classic; any other, or none, is the v1 endpoint."""

    def __init__(self, base: httpx.URL, version: str | None, paths: Mapping[str, str]) -> None:
        self._root = base.copy_with(path=_PASTED.sub("", base.path.rstrip("/")) or "/")
        self._classic = version is not None and _DATED.fullmatch(version) is not None
        self._query = f"?api-version={version}" if version not in (None, "v1") else ""
        self._paths = paths

    def locate(self, name: str) -> Address | None:
        path = self._paths.get(name)
        if path is None:
            return None
        if not self._classic or name in _OUTSIDE_DEPLOYMENTS:
            return fixed(self._at(path if self._classic else f"/v1{path}"))

        def deployed(deployment: str, stream: bool) -> httpx.URL:  # noqa: ARG001 - an `Address`
            return self._at(f"/deployments/{_segment(deployment)}{path}")

        return deployed

    def models(self, places: Mapping[str, ModelPlace], declared: tuple[str, ...]) -> httpx.URL | None:
        """Its lists hold what could be deployed, not what is: where deployments are declared, they are the list."""
        return None if self._classic or places or declared else self._at("/v1/models")

    def _at(self, path: str) -> httpx.URL:
        target = f"{self._root.path.rstrip('/')}/openai{path}{self._query}"
        return self._root.copy_with(raw_path=target.encode())


class _AzureParts(OpenAIParts):
    @override
    def capability(self, dialect: Dialect[R], address: Address) -> HttpCapability[R]:
        places = self.context.provider.settings.model_places
        deployments = {model: found.deployment for model, found in places.items() if found.deployment}
        return _Deployed(self.upstream, dialect, address, self.headers, self.conformer, deployments)

    @override
    def certain(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.context.provider.settings.model_places, *super().certain())))


class _Deployed(HttpCapability[R]):
    """Asks for a model by the name of its deployment."""

    def __init__(
        self,
        upstream: HttpUpstream,
        dialect: Dialect[R],
        address: Address,
        headers: HeaderSource,
        conformer: Conformer,
        deployments: Mapping[str, str],
    ) -> None:
        super().__init__(upstream, dialect, address, headers, conformer)
        self._deployments = deployments

    @override
    async def complete(self, call: ProviderCall[R]) -> ProviderAnswer:
        return await super().complete(self._placed(call))

    @override
    async def stream(self, call: ProviderCall[R]) -> ProviderStream:
        return await super().stream(self._placed(call))

    def _placed(self, call: ProviderCall[R]) -> ProviderCall[R]:
        deployment = self._deployments.get(call.model)
        return call if deployment is None else msgspec.structs.replace(call, model=deployment)


def _version(context: BuildContext) -> str | None:
    """The provider's own, or what Azure's SDKs read where the provider itself comes from the environment."""
    declared = context.provider.settings.api_version
    if declared is None and context.provider.owner == "environment":
        declared = context.variables.get("OPENAI_API_VERSION")
    return declared or None


def _segment(deployment: str) -> str:
    """A deployment as part of a path, and never as a way out of it: clients choose model names."""
    if deployment in {".", ".."}:
        raise UpstreamFailure(
            FailureKind.MODEL_ABSENT, f"'{deployment}' is no deployment.", status=404, code="model_not_found"
        )
    return quote(deployment, safe="")
