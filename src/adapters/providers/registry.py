"""Builds the clients of providers from what is known of them, and says what is known."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import httpx
import msgspec
from typing_extensions import override

from adapters.ingress.carriers import with_over_chat, with_over_chat_fidelity
from adapters.providers.base_url import base_url, is_local
from adapters.providers.kind import BuildContext, Entry, Kind
from adapters.providers.kinds import KINDS
from adapters.tokens.length import LengthTokenCounter
from domain.errors import RequestInvalid
from domain.fidelity import ParamSupport
from domain.ports.providers import Capabilities, ProviderClient, ProviderRegistry
from domain.providers import KindDescription, Provider, ProviderPreset
from domain.routes import Mock
from domain.timeouts import Timeouts

TransportFactory = Callable[[Provider, Timeouts], httpx.AsyncBaseTransport]
"""Makes the transport of one provider version; the provider it is given has its `base_url` filled in."""

_BY_LENGTH: Final = LengthTokenCounter().count


class Registry(ProviderRegistry):
    """Builds clients from rows of data.

    `variables` fill in what preset URLs leave open (`{account_id}`); `count_tokens` estimates the tokens of a text
    where an upstream cannot be asked.
    """

    def __init__(
        self,
        transports: TransportFactory,
        variables: Mapping[str, str],
        *,
        kinds: Sequence[Kind] = KINDS,
        now: Callable[[], float] = time.time,
        count_tokens: Callable[[str], int] = _BY_LENGTH,
    ) -> None:
        self._transports = transports
        self._variables = variables
        entries = sorted((entry for kind in kinds for entry in kind.entries), key=lambda entry: entry.priority)
        self._entries = {entry.id: entry for entry in entries}
        self._presets = {entry.id: entry.preset for entry in entries}
        self._kinds = {kind.id: kind for kind in kinds}
        self._by_host = _by_host(self._entries.values())
        self._now = now
        self._count_tokens = count_tokens
        self._user_agent = f"open-model-gateway/{_version()}"

    @override
    def build(self, provider: Provider, timeouts: Timeouts) -> ProviderClient:
        entry, base = self._resolved(provider)
        timeouts = provider.settings.timeouts.over(timeouts)
        placed = msgspec.structs.replace(provider, base_url=str(base))
        transport = self._transports(placed, timeouts)
        context = BuildContext(
            provider=placed,
            entry=entry,
            base=base,
            transport=transport,
            timeouts=timeouts,
            user_agent=self._user_agent,
            variables=self._variables,
            now=self._now,
            count_tokens=self._count_tokens,
        )
        own = self._kinds[provider.kind].load().build(context)
        return HttpProviderClient(with_over_chat(own, context.count_tokens), transport)

    @override
    def mock(self, mock: Mock) -> ProviderClient:
        from adapters.providers.mock import MockChat, MockClient  # few routes have one

        chat = MockChat(mock, self._count_tokens, self._now)
        return MockClient(with_over_chat(Capabilities(chat=chat), self._count_tokens))

    @override
    def check(self, provider: Provider) -> None:
        self._resolved(provider)

    @override
    def requires_key(self, provider: Provider) -> bool:
        """A server of one's own is called without a key where none is stored; a public one is not."""
        entry = self._entry(provider)
        if entry is not None:
            return self._presets[entry.id].requires_key
        try:
            return provider.base_url is None or not is_local(httpx.URL(provider.base_url))
        except httpx.InvalidURL:
            return True

    @override
    def kinds(self) -> Sequence[KindDescription]:
        return tuple(_describe(kind) for kind in self._kinds.values())

    @override
    def presets(self) -> Sequence[ProviderPreset]:
        return tuple(self._presets.values())

    @override
    def preset_for(self, provider: Provider) -> ProviderPreset | None:
        """By the settings' `preset`, else by the provider's id, else by the host of its base URL."""
        entry = self._entry(provider)
        return self._presets[entry.id] if entry is not None else None

    def _resolved(self, provider: Provider) -> tuple[Entry, httpx.URL]:
        if provider.kind not in self._kinds:
            raise RequestInvalid(
                f"There is no provider kind '{provider.kind}'. Known: {', '.join(self._kinds)}.", param="kind"
            )
        chosen = provider.settings.preset
        if chosen is not None and chosen not in self._entries:
            raise RequestInvalid(f"There is no preset '{chosen}'.", param="settings.preset")
        entry = self._entry(provider) or self._kinds[provider.kind].unknown
        return entry, base_url(provider.base_url, entry, self._variables)

    def _entry(self, provider: Provider) -> Entry | None:
        """None for an upstream of which nothing is known."""
        kind = self._kinds.get(provider.kind)
        if kind is None:
            return None
        if len(kind.entries) == 1:
            return kind.entries[0]
        named = self._entries.get(provider.settings.preset or provider.id)
        if named is not None and named.kind == provider.kind:
            return named
        if provider.base_url is None:
            return None
        try:
            found = self._by_host.get((provider.kind, httpx.URL(provider.base_url).host))
        except httpx.InvalidURL:
            return None
        return found


class HttpProviderClient(ProviderClient):
    """Owns one transport; closing it closes every connection of this provider version (R-12)."""

    def __init__(self, capabilities: Capabilities, transport: httpx.AsyncBaseTransport) -> None:
        self._capabilities = capabilities
        self._transport = transport

    @property
    @override
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @override
    async def aclose(self) -> None:
        await self._transport.aclose()


def _describe(kind: Kind) -> KindDescription:
    fidelity = with_over_chat_fidelity(kind.load().fidelity(kind.unknown))
    usual = {name: cell.support for name, cell in fidelity.get("chat.completions", {}).items()}
    return KindDescription(
        kind=kind.id,
        name=kind.name,
        endpoints=tuple(dict.fromkeys((*kind.endpoints, *fidelity))),
        params=usual,
        presets=tuple(sorted((entry.preset for entry in kind.entries), key=lambda preset: preset.priority)),
        preset_params={entry.id: _different(kind, entry, usual) for entry in kind.entries},
        fidelity=fidelity,
    )


def _different(kind: Kind, entry: Entry, usual: Mapping[str, ParamSupport]) -> dict[str, ParamSupport]:
    chat = kind.load().fidelity(entry).get("chat.completions", {})
    return {name: cell.support for name, cell in chat.items() if cell.support != usual.get(name)}


def _by_host(entries: Iterable[Entry]) -> dict[tuple[str, str], Entry]:
    """By kind and host; public hosts only: what listens on a local port can be anything."""
    hosts: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        address = entry.preset.base_url.replace("{", "").replace("}", "")
        if address and not is_local(httpx.URL(address)):
            hosts.setdefault((entry.kind, httpx.URL(address).host), entry)
    return hosts


def _version() -> str:
    try:
        return version("open-model-gateway")
    except PackageNotFoundError:
        return "0"
