"""Makes the transport that a setting names."""

from typing import Literal

import httpx

from adapters.transport.egress import EgressGuard
from adapters.transport.httptools_h1 import HttptoolsTransport
from adapters.transport.limits import TransportLimits

TransportName = Literal["httptools", "aiohttp"]

DEFAULT_TRANSPORT: TransportName = "httptools"


def build_transport(
    name: str, limits: TransportLimits, guard: EgressGuard, *, ca_file: str | None = None
) -> httpx.AsyncBaseTransport:
    """A transport with connections of its own; call it inside the event loop it will live in.

    `ca_file` (PEM) is trusted besides the usual roots. Raises `ValueError` for an unknown name and for one
    whose library is not installed.
    """
    if name == "httptools":
        return HttptoolsTransport(limits, guard, ca_file=ca_file)
    if name == "aiohttp":
        try:
            from adapters.transport.aiohttp_client import AiohttpTransport
        except ImportError as error:
            raise ValueError(
                "The transport 'aiohttp' needs a library: pip install 'open-model-gateway[aiohttp]'."
            ) from error
        return AiohttpTransport(limits, guard, ca_file=ca_file)
    raise ValueError(f"There is no transport '{name}'. Use 'httptools' or 'aiohttp'.")
