"""The issuers of a configuration, ready to be asked. Imported only where there is one: joserfc is an optional extra."""

from collections.abc import Mapping, Sequence

from typing_extensions import override

from adapters.identity.discovery import Discovery, IssuerCalls, MakeTransport
from adapters.identity.keys import IssuerKeys
from adapters.identity.provider import OidcProvider
from adapters.identity.token_check import TokenCheck, unverified_issuer
from domain.issuers import Issuer, VerifiedToken
from domain.ports.issuers import IdentityProvider, IssuerRefused, TokenVerifier
from domain.ports.runtime import Clock
from domain.ports.security import SecretReferences


class BearerTokenVerifier(TokenVerifier):
    """Chooses the issuer by what the token says of itself, and then believes only the signature.

    Several entries may be of one issuer, for several audiences: the token is for the first that it fits.
    """

    def __init__(self, checks: Sequence[tuple[Issuer, TokenCheck]]) -> None:
        self._checks = checks

    @override
    async def verify(self, token: str) -> VerifiedToken:
        named = unverified_issuer(token)
        refusal = IssuerRefused("no issuer of this name gives out bearer tokens")
        for issuer, check in self._checks:
            if issuer.issuer == named:
                try:
                    return await check.bearer(token)
                except IssuerRefused as error:
                    refusal = error
        raise refusal


class OpenIssuers:
    """`providers` are those that people sign in at, by name; `verifier` is for all whose tokens programs send."""

    def __init__(
        self,
        issuers: Sequence[Issuer],
        make_transport: MakeTransport,
        references: SecretReferences,
        clock: Clock,
        *,
        allow_private_network: bool = False,
    ) -> None:
        self._keys: list[IssuerKeys] = []
        providers: dict[str, IdentityProvider] = {}
        checks: list[tuple[Issuer, TokenCheck]] = []
        for issuer in issuers:
            calls = IssuerCalls(issuer, make_transport, allow_private_network=allow_private_network)
            discovery = Discovery(issuer, calls, clock)
            keys = IssuerKeys(discovery, calls, clock)
            check = TokenCheck(issuer, keys, clock)
            self._keys.append(keys)
            if issuer.sign_in:
                providers[issuer.name] = OidcProvider(issuer, discovery, calls, check, references)
            if issuer.bearer:
                checks.append((issuer, check))
        self.providers: Mapping[str, IdentityProvider] = providers
        self.verifier: TokenVerifier | None = BearerTokenVerifier(checks) if checks else None

    async def aclose(self) -> None:
        """Stops what is being read of issuers."""
        for keys in self._keys:
            await keys.aclose()
