"""The issuers of the settings; where there are none, nothing is imported for them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from adapters.identity.discovery import MakeTransport
from domain.issuers import Issuer
from domain.ports.issuers import IdentityProvider, TokenVerifier
from domain.ports.runtime import Clock
from domain.ports.security import SecretReferences


class IssuersNotInstalled(Exception):
    """The library is not there; the message says how to get it."""


async def _nothing() -> None:
    """There is nothing to stop."""


class ConfiguredIssuers(msgspec.Struct, frozen=True):
    """Those to sign in at, by name, and what verifies bearer tokens, where an issuer has such."""

    providers: Mapping[str, IdentityProvider] = {}
    verifier: TokenVerifier | None = None
    aclose: Callable[[], Awaitable[None]] = _nothing


def open_issuers(
    issuers: Sequence[Issuer],
    make_transport: MakeTransport,
    references: SecretReferences,
    clock: Clock,
    *,
    allow_private_network: bool = False,
) -> ConfiguredIssuers:
    """Raises `IssuersNotInstalled`."""
    if not issuers:
        return ConfiguredIssuers()
    try:
        from adapters.identity.opening import OpenIssuers
    except ImportError as error:
        raise IssuersNotInstalled("auth.issuers needs a library: pip install 'open-model-gateway[oidc]'.") from error
    opened = OpenIssuers(issuers, make_transport, references, clock, allow_private_network=allow_private_network)
    return ConfiguredIssuers(opened.providers, opened.verifier, opened.aclose)
