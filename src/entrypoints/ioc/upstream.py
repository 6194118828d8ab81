"""Providers' adapters, the connections under them, and the policy that says which may be asked."""

from collections.abc import Sequence

import httpx
from dishka import Provider as Module
from dishka import Scope, provide

from adapters.availability.automatic import AutomaticAvailability
from adapters.availability.manual import ManualAvailability
from adapters.providers.registry import ENTRIES, Registry
from adapters.tokens.length import LengthTokenCounter
from adapters.transport.client import build_transport
from adapters.transport.egress import EgressGuard
from adapters.transport.limits import TransportLimits
from domain.errors import RequestInvalid
from domain.ports.policies import AvailabilityPolicy
from domain.ports.prices import TokenCounter
from domain.ports.providers import ProviderRegistry
from domain.ports.runtime import Clock
from domain.providers import Provider, ProviderPreset
from domain.timeouts import Timeouts
from entrypoints.settings.model import Settings


class UpstreamModule(Module):
    scope = Scope.APP

    @provide
    def registry(self, settings: Settings, counter: TokenCounter) -> ProviderRegistry:
        return build_registry(settings, counter)

    @provide
    def availability(self, settings: Settings, clock: Clock) -> AvailabilityPolicy:
        return ManualAvailability(clock) if settings.availability == "manual" else AutomaticAvailability(clock)


def build_registry(settings: Settings, counter: TokenCounter | None = None) -> ProviderRegistry:
    """Every known provider; one transport, with its own guard, for each version of a provider (R-12).

    Without a `counter` tokens are estimated by length.
    """

    def transport(provider: Provider, timeouts: Timeouts) -> httpx.AsyncBaseTransport:
        limits = TransportLimits(
            connect_seconds=timeouts.connect,
            pool_wait_seconds=timeouts.pool,
            max_connections=provider.settings.max_connections,
        )
        allow_private = settings.allow_private_network or provider.settings.allow_private_network
        guard = EgressGuard.for_provider(provider.base_url or "", allow_private_network=allow_private)
        try:
            return build_transport(settings.transport, limits, guard)
        except ValueError as error:
            raise RequestInvalid(str(error)) from error

    counter = counter or LengthTokenCounter()
    return Registry(transport, settings.variables, count_tokens=counter.count)


def provider_presets() -> Sequence[ProviderPreset]:
    """Every provider that a variable can switch on, by priority."""
    return sorted((entry.preset for entry in ENTRIES), key=lambda preset: preset.priority)
