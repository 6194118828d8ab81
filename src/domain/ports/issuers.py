"""Ports to identity providers: signing in there, and what tells whether a token is theirs; where accounts are kept."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from domain.issuers import Claims, Identity, Issuer, VerifiedToken
from domain.secrets import Secret


class SignInRequest(msgspec.Struct, frozen=True):
    """What a browser is sent away with: `state` comes back, `nonce` is in the token, `verifier` is PKCE's secret."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str


class SignedInThere(msgspec.Struct, frozen=True):
    """Who signed in at the issuer. With a `refresh_token` it can be asked again without the person."""

    subject: str
    claims: Claims
    refresh_token: Secret | None = None


class IssuerAway(Exception):
    """The issuer could not be asked, or answered what is no answer. The message is for the log."""


class IssuerRefused(Exception):
    """What came is not what the issuer gives out, or it refuses. The message is for the log, and has no secret."""


class IdentityProvider(Protocol):
    """One issuer that people sign in at. All raise `IssuerAway`."""

    @property
    def issuer(self) -> Issuer: ...

    async def address(self, request: SignInRequest) -> str:
        """Where the browser goes."""
        ...

    async def check_answer(self, iss: str | None) -> None:
        """Whether an answer with this `iss` (RFC 9207) can be this issuer's. Raises `IssuerRefused`."""
        ...

    async def redeem(self, code: str, request: SignInRequest) -> SignedInThere:
        """Exchanges the code, once. Raises `IssuerRefused`."""
        ...

    async def renew(self, refresh_token: Secret, subject: str) -> SignedInThere:
        """What the issuer says now of the same person. Raises `IssuerRefused` where it knows them no more."""
        ...


IdentityProviders = Mapping[str, IdentityProvider]
"""Those that people sign in at, by name, in the order of the configuration."""


class TokenVerifier(Protocol):
    """Tells whose a token is that a program sends as a bearer."""

    async def verify(self, token: str) -> VerifiedToken:
        """Raises `IssuerRefused`, and `IssuerAway` where the issuer's keys are not known and cannot be asked for."""
        ...


class IdentityRepository(Protocol):
    """Accounts at issuers, by issuer and subject."""

    async def get(self, issuer: str, subject: str) -> Identity | None: ...

    async def list_of(self, user_id: str) -> Sequence[Identity]:
        """By issuer and subject."""
        ...

    async def put(self, identity: Identity) -> None:
        """Insert, or replace the one of this issuer and subject. Raises `NotFound` where there is no such user."""
        ...
