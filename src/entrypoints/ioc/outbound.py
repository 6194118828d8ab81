"""How this installation calls out: the one place where HTTP towards others is put together.

Proxies, authorities and the client certificate of the settings hold for everything that is made here, and everything
that calls out by HTTP is made here ([networks](../../../docs/networks.md)).
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import httpx

from adapters.transport.client import build_transport, proxies_of, tls_files
from adapters.transport.egress import EgressGuard
from adapters.transport.extra_headers import with_headers
from adapters.transport.limits import TransportLimits
from domain.errors import RequestInvalid
from domain.providers import Provider, ProviderSettings
from domain.timeouts import Timeouts
from entrypoints.settings.model import Settings

MakeTransport = Callable[[EgressGuard], httpx.AsyncBaseTransport]

_NOTHING_OWN = ProviderSettings()


def calls_out(settings: Settings, authorities: Iterable[str | Path | None] = ()) -> MakeTransport:
    """For what is no provider: webhooks, identity providers, Vault, newer prices.

    `authorities` are further files that only this one believes.
    """
    further = tuple(authorities)

    def transport(guard: EgressGuard) -> httpx.AsyncBaseTransport:
        return _built(settings, guard, TransportLimits(), _NOTHING_OWN, further, allow_private_proxy=True)

    return transport


def provider_transport(settings: Settings, provider: Provider, timeouts: Timeouts) -> httpx.AsyncBaseTransport:
    """For one version of a provider, whose own settings hold over everybody's. Raises `RequestInvalid`."""
    own = provider.settings
    limits = TransportLimits(
        connect_seconds=timeouts.connect, pool_wait_seconds=timeouts.pool, max_connections=own.max_connections
    )
    allow_private = settings.allow_private_network or own.allow_private_network
    guard = EgressGuard.for_provider(provider.base_url or "", allow_private_network=allow_private)
    try:
        built = _built(settings, guard, limits, own, (), allow_private_proxy=allow_private or not own.proxy)
        return with_headers(built, provider.base_url or "", own.headers, timeouts)
    except ValueError as error:
        raise RequestInvalid(str(error)) from error


def _built(
    settings: Settings,
    guard: EgressGuard,
    limits: TransportLimits,
    own: ProviderSettings,
    authorities: tuple[str | Path | None, ...],
    *,
    allow_private_proxy: bool,
) -> httpx.AsyncBaseTransport:
    """Raises `ValueError`."""
    return build_transport(
        settings.transport,
        limits,
        guard,
        tls=tls_files(
            (settings.ca_file, *authorities),
            settings.client_cert,
            folder=str(settings.data_dir),
            own_authority=own.ca_file,
            own_cert=own.client_cert,
        ),
        proxies=proxies_of(
            own.proxy or settings.outbound_proxy, settings.unproxied, allow_private_network=allow_private_proxy
        ),
    )
