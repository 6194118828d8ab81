"""Every provider the gateway knows. Adding one is a module in `openai_compatible` and a line here."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import httpx
import msgspec
from typing_extensions import override

from adapters.dialects.openai.params import param_support
from adapters.dialects.openai.quirks import Quirks
from adapters.providers.base_url import base_url, is_local
from adapters.providers.client import HttpProviderClient
from adapters.providers.entry import Entry
from adapters.providers.http import HttpChatProvider
from adapters.providers.openai_compatible import (
    cerebras,
    cloudflare,
    custom,
    dashscope,
    deepinfra,
    deepseek,
    fireworks,
    gemini,
    github_models,
    groq,
    huggingface,
    hyperbolic,
    llamacpp,
    lmstudio,
    mistral,
    moonshot,
    nebius,
    novita,
    nvidia,
    ollama,
    ollama_cloud,
    openai,
    openrouter,
    perplexity,
    sambanova,
    simulated,
    together,
    vercel_ai_gateway,
    vllm,
    xai,
    zai,
)
from domain.errors import RequestInvalid
from domain.ports.providers import ProviderClient, ProviderRegistry
from domain.providers import KindDescription, Provider, ProviderPreset
from domain.timeouts import Timeouts

TransportFactory = Callable[[Provider, Timeouts], httpx.AsyncBaseTransport]
"""Makes the transport of one provider version; the provider it is given has its `base_url` filled in."""

ENTRIES: Final[tuple[Entry, ...]] = (
    cerebras.ENTRY,
    openrouter.ENTRY,
    gemini.ENTRY,
    groq.ENTRY,
    mistral.ENTRY,
    sambanova.ENTRY,
    nvidia.ENTRY,
    cloudflare.ENTRY,
    huggingface.ENTRY,
    zai.ENTRY,
    github_models.ENTRY,
    vercel_ai_gateway.ENTRY,
    ollama_cloud.ENTRY,
    openai.ENTRY,
    deepseek.ENTRY,
    xai.ENTRY,
    together.ENTRY,
    fireworks.ENTRY,
    deepinfra.ENTRY,
    moonshot.ENTRY,
    dashscope.ENTRY,
    perplexity.ENTRY,
    nebius.ENTRY,
    hyperbolic.ENTRY,
    novita.ENTRY,
    ollama.ENTRY,
    vllm.ENTRY,
    lmstudio.ENTRY,
    llamacpp.ENTRY,
    custom.ENTRY,
    simulated.ENTRY,
)

_KIND_NAMES: Final = {"openai": "OpenAI and every OpenAI-compatible API", "simulated": "Simulated upstream"}
_ENDPOINTS: Final = ("chat.completions", "models")


class Registry(ProviderRegistry):
    """Builds clients from rows of data. `variables` fill the places in preset URLs (`{account_id}`)."""

    def __init__(
        self,
        transports: TransportFactory,
        variables: Mapping[str, str],
        *,
        entries: Sequence[Entry] = ENTRIES,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._transports = transports
        self._variables = variables
        self._entries = {entry.preset.id: entry for entry in sorted(entries, key=lambda entry: entry.preset.priority)}
        self._kinds = tuple(dict.fromkeys(entry.preset.kind for entry in entries))
        self._by_host = _by_host(self._entries.values())
        self._now = now
        self._user_agent = f"open-model-gateway/{_version()}"

    @override
    def build(self, provider: Provider, timeouts: Timeouts) -> ProviderClient:
        entry, base = self._resolved(provider)
        timeouts = provider.settings.timeouts.over(timeouts)
        placed = _placed(provider, base)
        transport = self._transports(placed, timeouts)
        adapter = HttpChatProvider(placed, entry, base, transport, timeouts, self._user_agent, self._now)
        return HttpProviderClient(adapter, transport)

    @override
    def check(self, provider: Provider) -> None:
        self._resolved(provider)

    @override
    def requires_key(self, provider: Provider) -> bool:
        """A server of one's own is called without a key where none is stored; a public one is not."""
        entry = self._entry(provider)
        if entry is not None:
            return entry.preset.requires_key
        try:
            return provider.base_url is None or not is_local(httpx.URL(provider.base_url))
        except httpx.InvalidURL:
            return True

    @override
    def kinds(self) -> Sequence[KindDescription]:
        return tuple(self._describe(kind) for kind in self._kinds)

    @override
    def presets(self) -> Sequence[ProviderPreset]:
        return tuple(entry.preset for entry in self._entries.values())

    @override
    def preset_for(self, provider: Provider) -> ProviderPreset | None:
        """By the settings' `preset`, else by the provider's id, else by the host of its base URL."""
        entry = self._entry(provider)
        return entry.preset if entry is not None else None

    def _resolved(self, provider: Provider) -> tuple[Entry, httpx.URL]:
        if provider.kind not in self._kinds:
            raise RequestInvalid(
                f"There is no provider kind '{provider.kind}'. Known: {', '.join(self._kinds)}.", param="kind"
            )
        chosen = provider.settings.preset
        if chosen is not None and chosen not in self._entries:
            raise RequestInvalid(f"There is no preset '{chosen}'.", param="settings.preset")
        entry = self._entry(provider) or custom.ENTRY
        return entry, base_url(provider.base_url, entry, self._variables)

    def _entry(self, provider: Provider) -> Entry | None:
        """None for an upstream of which nothing is known."""
        if provider.kind == simulated.ENTRY.preset.kind:
            return simulated.ENTRY
        named = self._entries.get(provider.settings.preset or provider.id)
        if named is not None and named.preset.kind == provider.kind:
            return named
        if provider.base_url is None:
            return None
        try:
            return self._by_host.get(httpx.URL(provider.base_url).host)
        except httpx.InvalidURL:
            return None

    def _describe(self, kind: str) -> KindDescription:
        entries = [entry for entry in self._entries.values() if entry.preset.kind == kind]
        usual = param_support(Quirks())
        return KindDescription(
            kind=kind,
            name=_KIND_NAMES.get(kind, kind),
            endpoints=_ENDPOINTS,
            params=usual,
            presets=tuple(entry.preset for entry in entries),
            preset_params={
                entry.preset.id: {
                    name: support for name, support in param_support(entry.quirks).items() if support != usual[name]
                }
                for entry in entries
            },
        )


def _by_host(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Public hosts only: what listens on a local port can be anything."""
    hosts: dict[str, Entry] = {}
    for entry in entries:
        address = entry.preset.base_url.replace("{", "").replace("}", "")
        if address and not is_local(httpx.URL(address)):
            hosts.setdefault(httpx.URL(address).host, entry)
    return hosts


def _placed(provider: Provider, base: httpx.URL) -> Provider:
    return msgspec.structs.replace(provider, base_url=str(base))


def _version() -> str:
    try:
        return version("open-model-gateway")
    except PackageNotFoundError:
        return "0"
