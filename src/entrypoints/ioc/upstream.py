"""Providers' adapters, the connections under them, and the policy that says which may be asked."""

from collections.abc import Callable, Sequence

import httpx
from dishka import Provider as Module
from dishka import Scope, provide

from adapters.availability.automatic import AutomaticAvailability
from adapters.availability.manual import ManualAvailability
from adapters.providers.kinds import ENTRIES
from adapters.providers.registry import Registry
from adapters.tokens.length import LengthTokenCounter
from adapters.transport.traced import TracedTransport
from domain.ports.policies import AvailabilityPolicy
from domain.ports.prices import TokenCounter
from domain.ports.providers import ProviderRegistry
from domain.ports.runtime import Clock
from domain.providers import Provider, ProviderPreset
from domain.timeouts import Timeouts
from entrypoints.ioc.outbound import provider_transport
from entrypoints.ioc.telemetry import Traces
from entrypoints.settings.model import Settings

_POLICIES: dict[str, Callable[[Clock], AvailabilityPolicy]] = {
    "automatic": AutomaticAvailability,
    "manual": ManualAvailability,
}


class UpstreamModule(Module):
    scope = Scope.APP

    @provide
    def registry(self, settings: Settings, counter: TokenCounter, traces: Traces) -> ProviderRegistry:
        return build_registry(settings, counter, _WRAPPINGS[traces])

    @provide
    def availability(self, settings: Settings, clock: Clock) -> AvailabilityPolicy:
        return _POLICIES[settings.availability](clock)


def _plain(transport: httpx.AsyncBaseTransport, _: Timeouts) -> httpx.AsyncBaseTransport:
    return transport


Wrapping = Callable[[httpx.AsyncBaseTransport, Timeouts], httpx.AsyncBaseTransport]

_WRAPPINGS: dict[bool, Wrapping] = {False: _plain, True: TracedTransport}
"""By whether traces are collected."""


def build_registry(
    settings: Settings, counter: TokenCounter | None = None, wrapped: Wrapping = _plain
) -> ProviderRegistry:
    """Every known provider; one transport, with its own guard, for each version of a provider (R-12).

    Without a `counter` tokens are estimated by length.
    """

    def transport(provider: Provider, timeouts: Timeouts) -> httpx.AsyncBaseTransport:
        return wrapped(provider_transport(settings, provider, timeouts), timeouts)

    counter = counter or LengthTokenCounter()
    return Registry(transport, settings.variables, count_tokens=counter.count)


def provider_presets() -> Sequence[ProviderPreset]:
    """Every provider that a variable can switch on, by priority."""
    return sorted((entry.preset for entry in ENTRIES), key=lambda preset: preset.priority)
