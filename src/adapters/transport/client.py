"""Makes the transport that a setting names, and what it is told of proxies and certificates."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import httpx

from adapters.transport.egress import EgressGuard
from adapters.transport.httptools_h1 import HttptoolsTransport
from adapters.transport.limits import TransportLimits
from adapters.transport.proxy import Proxies, Proxy
from adapters.transport.tls import NO_FILES, TlsFiles

TransportName = Literal["httptools", "aiohttp"]

DEFAULT_TRANSPORT: TransportName = "httptools"


def build_transport(
    name: str,
    limits: TransportLimits,
    guard: EgressGuard,
    *,
    tls: TlsFiles = NO_FILES,
    proxies: Proxies | None = None,
) -> httpx.AsyncBaseTransport:
    """A transport with connections of its own; call it inside the event loop it will live in.

    Behind a proxy it is always the gateway's own: the other one would let the proxy see and answer plain requests.
    Raises `ValueError` for an unknown name and for one whose library is not installed.
    """
    if name == "httptools" or (name == "aiohttp" and proxies is not None):
        return HttptoolsTransport(limits, guard, tls=tls, proxies=proxies)
    if name == "aiohttp":
        try:
            from adapters.transport.aiohttp_client import AiohttpTransport
        except ImportError as error:
            raise ValueError(
                "The transport 'aiohttp' needs a library: pip install 'open-model-gateway[aiohttp]'."
            ) from error
        return AiohttpTransport(limits, guard, tls=tls)
    raise ValueError(f"There is no transport '{name}'. Use 'httptools' or 'aiohttp'.")


def proxies_of(url: str, excepted: Iterable[str], *, allow_private_network: bool) -> Proxies | None:
    """None for an empty URL. Private addresses are allowed for the name of a proxy that the start's settings give.

    Raises `ValueError`, which shows nothing of the URL.
    """
    if not url:
        return None
    return Proxies(Proxy.of(url, allow_private_network=allow_private_network), excepted)


def tls_files(
    authorities: Iterable[str | Path | None],
    client_cert: Path | None,
    *,
    folder: str,
    own_authority: str | None = None,
    own_cert: str | None = None,
) -> TlsFiles:
    """`authorities` and `client_cert` are everybody's; those of one provider are names inside `folder`.

    Its own certificate is shown in the place of everybody's. Raises `ValueError` where a name leads out of the folder.
    """
    shared = tuple(str(path) for path in authorities if path is not None)
    if not shared and client_cert is None and own_authority is None and own_cert is None:
        return NO_FILES
    inside = Path(folder).resolve()
    own = () if own_authority is None else (_within(inside, own_authority),)
    usual = None if client_cert is None else str(client_cert)
    return TlsFiles((*shared, *own), usual if own_cert is None else _within(inside, own_cert))


def _within(folder: Path, name: str) -> str:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder):
        raise ValueError(f"The file '{name}' is not inside the data folder.")
    return str(path)
