"""Signing in at one issuer: the code flow with PKCE, and asking again with a refresh token.

Source: OpenID Connect Core 1.0, 3.1, 5.3 and 12; RFC 6749; RFC 7636; RFC 9207 (read 2026-11).
"""

import base64
import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from typing_extensions import override

from adapters.identity.discovery import Discovery, IssuerCalls, Metadata
from adapters.identity.token_check import TokenCheck
from domain.issuers import Claims, Issuer, claim_at, left_out
from domain.ports.issuers import IdentityProvider, IssuerAway, IssuerRefused, SignedInThere, SignInRequest
from domain.ports.security import SecretMissing, SecretReferences
from domain.secrets import Secret

log = logging.getLogger(__name__)

_ABOUT_A_PERSON: Final = ("email", "email_verified", "name")


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str = ""
    access_token: str = ""
    refresh_token: str | None = None
    error: str = ""


class OidcProvider(IdentityProvider):
    """What the ID token does not say of a person and their groups is asked of the issuer's userinfo."""

    def __init__(
        self, issuer: Issuer, discovery: Discovery, calls: IssuerCalls, check: TokenCheck, references: SecretReferences
    ) -> None:
        self._issuer = issuer
        self._discovery = discovery
        self._calls = calls
        self._check = check
        self._references = references

    @property
    @override
    def issuer(self) -> Issuer:
        return self._issuer

    @override
    async def address(self, request: SignInRequest) -> str:
        metadata = await self._discovery.get()
        if not metadata.authorization_endpoint or not metadata.token_endpoint:
            raise IssuerAway("its discovery document names no place to sign in at")
        self._calls.checked(metadata.authorization_endpoint)
        digest = hashlib.sha256(request.verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self._issuer.client_id,
            "redirect_uri": request.redirect_uri,
            "scope": " ".join(dict.fromkeys(("openid", *self._issuer.scopes))),
            "state": request.state,
            "nonce": request.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        if metadata.claims_parameter_supported:
            query["claims"] = json.dumps({"id_token": dict.fromkeys(self._asked_claims())})
        endpoint = metadata.authorization_endpoint
        return endpoint + ("&" if urlsplit(endpoint).query else "?") + urlencode(query)

    @override
    async def check_answer(self, iss: str | None) -> None:
        metadata = await self._discovery.get()
        if iss is None and not metadata.authorization_response_iss_parameter_supported:
            return
        if iss != self._issuer.issuer:
            raise IssuerRefused("the answer is of another issuer")

    @override
    async def redeem(self, code: str, request: SignInRequest) -> SignedInThere:
        metadata = await self._discovery.get()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": request.redirect_uri,
            "code_verifier": request.verifier,
        }
        tokens = await self._tokens(metadata, form)
        if not tokens.id_token:
            raise IssuerRefused("it gave no ID token")
        claims = await self._check.id_token(tokens.id_token, request.nonce)
        return await self._whole(metadata, tokens, claims)

    @override
    async def renew(self, refresh_token: Secret, subject: str) -> SignedInThere:
        metadata = await self._discovery.get()
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token.reveal()}
        tokens = await self._tokens(metadata, form)
        claims: Claims = {"sub": subject}
        if tokens.id_token:
            claims = await self._check.id_token(tokens.id_token, None)
            if claims.get("sub") != subject:
                raise IssuerRefused("it answered for somebody else")
        elif not metadata.userinfo_endpoint or not tokens.access_token:
            raise IssuerRefused("it says nothing of the person any more")
        renewed = await self._whole(metadata, tokens, claims, anew=not tokens.id_token)
        return renewed if renewed.refresh_token else msgspec.structs.replace(renewed, refresh_token=refresh_token)

    def _asked_claims(self) -> tuple[str, ...]:
        """Those that a top-level claim has to be asked for by name; of `a.b` that is `a`."""
        outer = (name.partition(".")[0] if "://" not in name else name for name in self._issuer.wanted_claims)
        return tuple(dict.fromkeys((*_ABOUT_A_PERSON, *outer)))

    async def _whole(self, metadata: Metadata, tokens: _Tokens, claims: Claims, *, anew: bool = False) -> SignedInThere:
        """With what userinfo says besides; what the ID token says holds over it."""
        subject = str(claims["sub"])
        refresh = Secret(tokens.refresh_token) if tokens.refresh_token else None
        decides = anew or _lacks(claims, self._issuer.wanted_claims)
        if metadata.userinfo_endpoint and tokens.access_token and (decides or _lacks(claims, _ABOUT_A_PERSON)):
            try:
                said = await self._userinfo(metadata.userinfo_endpoint, tokens.access_token)
            except IssuerAway as error:
                if decides:  # or "in no group" would be made of it
                    raise
                log.warning("userinfo cannot be read", extra={"issuer": self._issuer.name, "reason": str(error)})
                said = {"sub": subject}
            if said.get("sub") != subject:
                raise IssuerRefused("its userinfo is of somebody else")
            claims = {**_apart_from(claims, said), **claims}
        return SignedInThere(subject, claims, refresh)

    async def _userinfo(self, endpoint: str, access_token: str) -> Mapping[str, object]:
        """Only as JSON: where it is signed, the issuer was asked to."""
        if not access_token.isascii() or not access_token.isprintable():
            raise IssuerRefused("its access token is none")
        return await self._calls.get_json(endpoint, {"authorization": f"Bearer {access_token}"})

    async def _tokens(self, metadata: Metadata, form: Mapping[str, str]) -> _Tokens:
        """Raises `IssuerRefused` where the issuer says no, `IssuerAway` where it says nothing of use."""
        headers = {"content-type": "application/x-www-form-urlencoded"}
        secret = (await self._secret()).reveal()
        fields = dict(form)
        methods = metadata.token_endpoint_auth_methods_supported
        if secret and ("client_secret_basic" in methods or "client_secret_post" not in methods):
            pair = f"{quote(self._issuer.client_id, safe='')}:{quote(secret, safe='')}"
            headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            fields["client_id"] = self._issuer.client_id
            fields |= {"client_secret": secret} if secret else {}
        status, body = await self._calls.ask("POST", metadata.token_endpoint, headers, urlencode(fields).encode())
        try:
            tokens = msgspec.json.decode(body, type=_Tokens)
        except (msgspec.DecodeError, RecursionError) as error:
            raise IssuerAway(f"its token endpoint answered {status}, without a token") from error
        if status != 200 or tokens.error:
            if status in (408, 429) or status >= 500 or tokens.error == "temporarily_unavailable":
                raise IssuerAway(f"its token endpoint answered {status}")
            if tokens.error in ("invalid_client", "unauthorized_client"):
                raise IssuerAway(f"it refuses the gateway itself: {tokens.error}; check client_id and client_secret")
            raise IssuerRefused(f"its token endpoint answered {status} {tokens.error[:60]!r}")
        return tokens

    async def _secret(self) -> Secret:
        """Vault's are read when they are needed; others were followed at the start."""
        given = self._issuer.client_secret
        if not self._references.is_reference(given.reveal()):
            return given
        try:
            return await self._references.resolve(given.reveal())
        except SecretMissing as error:
            raise IssuerAway(f"the client_secret cannot be read: {error}") from error


def _apart_from(claims: Claims, said: Mapping[str, object]) -> Mapping[str, object]:
    """What userinfo says besides: never that an address is verified which it does not name itself.

    A yes of the one for an address of the other would verify what somebody has typed (Entra's `email` is such).
    """
    if "email" not in claims and "email_verified" not in claims:
        return said
    if "email_verified" not in claims and claims.get("email") == said.get("email"):
        return said
    return {name: value for name, value in said.items() if name not in ("email", "email_verified")}


def _lacks(claims: Claims, names: Iterable[str]) -> bool:
    return any(claim_at(claims, name) is None and not left_out(claims, name) for name in names)
