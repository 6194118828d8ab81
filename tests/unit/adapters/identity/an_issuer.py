"""An issuer behind a mocked wire: its documents, its keys of every kind, and what it answers at its endpoints."""

import base64
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from adapters.identity.discovery import Discovery, IssuerCalls
from adapters.identity.keys import IssuerKeys
from adapters.identity.provider import OidcProvider
from adapters.identity.token_check import TokenCheck
from adapters.transport.egress import EgressGuard
from domain.issuers import GroupRule, Issuer
from domain.secrets import Secret
from entrypoints.settings.secret_references import LocalSecretReferences
from tests.fakes.clock import FakeClock

URL = "https://login.example/realm"
NONCE = "n" * 64
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")

Key = RSAKey | ECKey | OKPKey


@cache
def key_for(algorithm: str, number: int = 0) -> Key:
    """One of this kind, made once for all tests."""
    curves = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
    if algorithm in curves:
        return ECKey.generate_key(curves[algorithm])
    if algorithm in ("EdDSA", "Ed25519"):
        return OKPKey.generate_key("Ed25519")
    return rsa_key(number)


@cache
def rsa_key(number: int = 0) -> RSAKey:
    return RSAKey.generate_key(2048)


def public(key: Key, kid: str, **more: object) -> dict[str, object]:
    """As a key set has it."""
    return {**key.as_dict(private=False), "kid": kid, "use": "sig", **more}


def encoded(part: object) -> str:
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def an_issuer(**changes: Any) -> Issuer:
    given: dict[str, Any] = {
        "name": "corp",
        "issuer": URL,
        "client_id": "omg",
        "client_secret": Secret("the client's secret"),
        "audience": "omg-api",
        "bearer": True,
        "groups": (GroupRule("users", "ten_default"),),
        "algorithms": ALGORITHMS,
    }
    return Issuer(**given | changes)


class AnIssuer:
    """`listed` are the keys of its set. `away` and it answers nothing; `asked` are the paths it was asked for."""

    def __init__(self, **changes: Any) -> None:
        self.settings = an_issuer(**changes)
        self.clock = FakeClock()
        self.keys: dict[str, Key] = {"k1": key_for("ES256")}
        self.listed: list[dict[str, object]] | None = None
        self.away = False
        self.asked: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.authorizations: list[str] = []
        self.token_answer: tuple[int, dict[str, object]] = (400, {"error": "invalid_grant"})
        self.code: str | None = None  # the only code or refresh token that it takes; None: any
        self.userinfo: dict[str, object] | None = None
        self.raw: dict[str, bytes] = {}  # answered as it is, by path
        self.document: dict[str, object] = {
            "issuer": URL,
            "jwks_uri": f"{URL}/keys",
            "authorization_endpoint": f"{URL}/authorize",
            "token_endpoint": f"{URL}/token",
            "userinfo_endpoint": f"{URL}/userinfo",
        }
        calls = IssuerCalls(self.settings, self._transport)
        self.discovery = Discovery(self.settings, calls, self.clock)
        self.set = IssuerKeys(self.discovery, calls, self.clock)
        self.check = TokenCheck(self.settings, self.set, self.clock)
        references = LocalSecretReferences({})
        self.provider = OidcProvider(self.settings, self.discovery, calls, self.check, references)

    @property
    def now(self) -> int:
        return int(self.clock.now().timestamp())

    def claims(self, **changes: object) -> dict[str, object]:
        """Of a good token for sign-in and for `/v1` alike; None takes a claim away."""
        given: dict[str, object] = {
            "iss": URL,
            "sub": "ada",
            "aud": "omg",
            "iat": self.now,
            "nbf": self.now,
            "exp": self.now + 300,
            "nonce": NONCE,
            "groups": ["users"],
        }
        return {name: value for name, value in (given | changes).items() if value is not None}

    def token(self, claims: Mapping[str, object] | None = None, algorithm: str = "ES256", kid: str = "k1",
              key: Key | None = None, **header: object) -> str:  # fmt: skip
        head = {"alg": algorithm, "kid": kid, **header}
        return jwt.encode(head, dict(claims or self.claims()), key or self.keys[kid], algorithms=[algorithm],
                          registry=_signing(algorithm))  # fmt: skip

    def _transport(self, _: EgressGuard) -> httpx.AsyncBaseTransport:
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/realm")
        self.asked.append(path)
        if self.away:
            raise httpx.ConnectError("nobody there")
        if path in self.raw:
            return httpx.Response(200, content=self.raw[path])
        if path == "/.well-known/openid-configuration":
            return httpx.Response(200, json=self.document)
        if path == "/keys":
            return httpx.Response(200, json={"keys": self._listed()})
        self.authorizations.append(request.headers.get("authorization", ""))
        if path == "/token":
            form = dict(parse_qsl(request.content.decode()))
            self.forms.append(form)
            if self.code not in (None, form.get("code"), form.get("refresh_token")):
                return httpx.Response(400, json={"error": "invalid_grant"})
            return httpx.Response(self.token_answer[0], json=self.token_answer[1])
        if path == "/userinfo" and self.userinfo is not None:
            return httpx.Response(200, json=self.userinfo)
        return httpx.Response(404)

    def _listed(self) -> Sequence[Mapping[str, object]]:
        return self.listed if self.listed is not None else [public(key, kid) for kid, key in self.keys.items()]


def _signing(algorithm: str) -> Any:
    """Without the library's warning that the older name of EdDSA is old."""
    from adapters.identity.token_check import SignatureAlgorithms

    return SignatureAlgorithms([algorithm])
