"""Issuers that say what a test tells them to."""

from collections.abc import Mapping
from urllib.parse import urlencode

from typing_extensions import override

from domain.issuers import Claims, GroupRule, Issuer, VerifiedToken
from domain.ports.issuers import (
    IdentityProvider,
    IssuerAway,
    IssuerRefused,
    SignedInThere,
    SignInRequest,
    TokenVerifier,
)
from domain.secrets import Secret

ISSUER = "https://login.example"

CORP = Issuer(
    name="corp",
    issuer=ISSUER,
    title="Corp",
    client_id="omg",
    audience="omg-api",
    bearer=True,
    groups=(
        GroupRule("users", "ten_default"),
        GroupRule("leads", "ten_default", "admin"),
        GroupRule("guests", "ten_default", "viewer"),
    ),
)


class FakeProvider(IdentityProvider):
    """`codes` are who has signed in there, by the code that the browser brings; a code works once.

    `renewals` are what refresh tokens give. `away` and it cannot be asked.
    """

    def __init__(self, issuer: Issuer = CORP) -> None:
        self._issuer = issuer
        self.codes: dict[str, SignedInThere] = {}
        self.renewals: dict[str, SignedInThere] = {}
        self.requests: list[SignInRequest] = []
        self.away = False

    @property
    @override
    def issuer(self) -> Issuer:
        return self._issuer

    @override
    async def address(self, request: SignInRequest) -> str:
        self._check()
        self.requests.append(request)
        query = {"state": request.state, "nonce": request.nonce, "redirect_uri": request.redirect_uri}
        return f"{self._issuer.issuer}/authorize?{urlencode(query)}"

    @override
    async def check_answer(self, iss: str | None) -> None:
        self._check()
        if iss not in (None, self._issuer.issuer):
            raise IssuerRefused("the answer is of another issuer")

    @override
    async def redeem(self, code: str, request: SignInRequest) -> SignedInThere:
        self._check()
        if request not in self.requests or code not in self.codes:
            raise IssuerRefused("invalid_grant")
        return self.codes.pop(code)

    @override
    async def renew(self, refresh_token: Secret, subject: str) -> SignedInThere:
        self._check()
        found = self.renewals.get(refresh_token.reveal())
        if found is None or found.subject != subject:
            raise IssuerRefused("invalid_grant")
        return found

    def _check(self) -> None:
        if self.away:
            raise IssuerAway("it is away")


class FakeVerifier(TokenVerifier):
    """`tokens` are the claims of those that are good. Counts what it verifies."""

    def __init__(self, tokens: Mapping[str, Claims] | None = None, issuer: Issuer = CORP) -> None:
        self.issuer = issuer
        self.tokens: dict[str, Claims] = dict(tokens or {})
        self.verified = 0
        self.away = False

    @override
    async def verify(self, token: str) -> VerifiedToken:
        self.verified += 1
        if self.away:
            raise IssuerAway("it is away")
        claims = self.tokens.get(token)
        if claims is None:
            raise IssuerRefused("its signature does not hold")
        expires = claims.get("exp", 4_000_000_000)
        return VerifiedToken(self.issuer, str(claims["sub"]), claims, float(str(expires)))
