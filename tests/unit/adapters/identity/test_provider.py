"""Signing in at an issuer, as it goes over the wire."""

import base64
import hashlib
import json
from urllib.parse import parse_qs, urlsplit

import pytest

from domain.issuers import ClaimNames, verified_email
from domain.ports.issuers import IssuerAway, IssuerRefused, SignInRequest
from domain.secrets import Secret
from tests.unit.adapters.identity.an_issuer import NONCE, URL, AnIssuer

REQUEST = SignInRequest("state", NONCE, "verifier" * 8, "https://gateway.example/auth/oidc/corp/callback")


async def test_a_browser_is_sent_there_with_pkce_state_and_nonce() -> None:
    issuer = AnIssuer()
    issuer.document["authorization_endpoint"] = f"{URL}/authorize?tenant=1"

    parts = urlsplit(await issuer.provider.address(REQUEST))
    asked = {name: value[0] for name, value in parse_qs(parts.query).items()}

    challenge = base64.urlsafe_b64encode(hashlib.sha256(REQUEST.verifier.encode()).digest()).rstrip(b"=").decode()
    assert asked == {
        "tenant": "1",
        "response_type": "code",
        "client_id": "omg",
        "redirect_uri": REQUEST.redirect_uri,
        "scope": "openid email profile",
        "state": "state",
        "nonce": NONCE,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }


async def test_claims_are_asked_for_by_name_where_the_issuer_takes_that() -> None:
    issuer = AnIssuer(claims=ClaimNames(tenant="realm_access.tenant"))
    issuer.document["claims_parameter_supported"] = True

    asked = parse_qs(urlsplit(await issuer.provider.address(REQUEST)).query)

    assert set(json.loads(asked["claims"][0])["id_token"]) == {
        "email", "email_verified", "name", "realm_access", "groups"
    }  # fmt: skip


@pytest.mark.parametrize("methods", [None, ["client_secret_post"], ["client_secret_basic", "client_secret_post"]])
async def test_a_code_is_exchanged_with_the_verifier_and_the_clients_secret(methods: list[str] | None) -> None:
    issuer = AnIssuer()
    if methods is not None:
        issuer.document["token_endpoint_auth_methods_supported"] = methods
    issuer.token_answer = (200, {"id_token": issuer.token(), "access_token": "at", "refresh_token": "rt"})

    there = await issuer.provider.redeem("the code", REQUEST)

    form, basic = issuer.forms[0], issuer.authorizations[0]
    assert (form["code"], form["code_verifier"], form["redirect_uri"]) == (
        "the code", REQUEST.verifier, REQUEST.redirect_uri
    )  # fmt: skip
    assert bool(basic) == (methods != ["client_secret_post"])
    assert ("client_secret" in form) == (not basic)
    assert (there.subject, there.refresh_token) == ("ada", Secret("rt"))


async def test_what_the_id_token_does_not_say_is_asked_of_userinfo_and_does_not_overrule_it() -> None:
    issuer = AnIssuer()
    token = issuer.token(issuer.claims(groups=None, name="Ada"))
    issuer.token_answer = (200, {"id_token": token, "access_token": "at"})
    issuer.userinfo = {"sub": "ada", "groups": ["leads"], "name": "Eve"}

    there = await issuer.provider.redeem("code", REQUEST)

    assert (there.claims["groups"], there.claims["name"]) == (["leads"], "Ada")
    assert issuer.authorizations[-1] == "Bearer at"


async def test_userinfo_of_somebody_else_ends_the_sign_in() -> None:
    issuer = AnIssuer()
    issuer.token_answer = (200, {"id_token": issuer.token(issuer.claims(groups=None)), "access_token": "at"})
    issuer.userinfo = {"sub": "eve", "groups": ["leads"]}

    with pytest.raises(IssuerRefused):
        await issuer.provider.redeem("code", REQUEST)


@pytest.mark.parametrize(
    ("status", "body", "refused"),
    [
        (400, {"error": "invalid_grant"}, True),
        (200, {"access_token": "at"}, True),  # no ID token
        (200, {"id_token": "x.y.z"}, True),
        (401, {"error": "invalid_client"}, False),  # the gateway's own fault
        (429, {"error": "slow_down"}, False),
        (503, {}, False),
    ],
)
async def test_a_refusal_is_told_from_an_issuer_that_cannot_answer(
    status: int, body: dict[str, object], refused: bool
) -> None:
    issuer = AnIssuer()
    issuer.token_answer = (status, body)

    with pytest.raises(IssuerRefused if refused else IssuerAway):
        await issuer.provider.redeem("code", REQUEST)


async def test_a_refresh_token_tells_what_the_issuer_says_now() -> None:
    issuer = AnIssuer()
    issuer.token_answer = (200, {"access_token": "at"})
    issuer.userinfo = {"sub": "ada", "groups": []}

    there = await issuer.provider.renew(Secret("rt"), "ada")

    assert (there.claims["groups"], there.refresh_token) == ([], Secret("rt"))
    with pytest.raises(IssuerRefused):
        await issuer.provider.renew(Secret("rt"), "eve")


@pytest.mark.parametrize(
    ("iss", "supported", "taken"),
    [
        (None, False, True),
        (URL, False, True),
        (URL, True, True),
        (None, True, False),
        ("https://evil.example", False, False),
    ],
)
async def test_an_answer_that_names_another_issuer_is_not_this_ones(
    iss: str | None, supported: bool, taken: bool
) -> None:
    """RFC 9207."""
    issuer = AnIssuer()
    issuer.document["authorization_response_iss_parameter_supported"] = supported

    if taken:
        await issuer.provider.check_answer(iss)
    else:
        with pytest.raises(IssuerRefused):
            await issuer.provider.check_answer(iss)


@pytest.mark.parametrize("endpoint", ["http://login.example/authorize", "javascript:alert(1)", "/authorize", ""])
async def test_a_browser_is_never_sent_to_what_is_no_address_with_tls(endpoint: str) -> None:
    issuer = AnIssuer()
    issuer.document["authorization_endpoint"] = endpoint

    with pytest.raises(IssuerAway):
        await issuer.provider.address(REQUEST)


async def test_an_issuer_that_cannot_be_reached_is_not_asked_for_each_who_wants_to_sign_in() -> None:
    issuer = AnIssuer()
    issuer.away = True
    for _ in range(20):
        with pytest.raises(IssuerAway):
            await issuer.provider.address(REQUEST)

    assert len(issuer.asked) == 1


async def test_userinfo_that_cannot_be_read_is_never_taken_for_no_groups() -> None:
    """But where it would only tell a name it is done without."""
    issuer = AnIssuer()
    answer: dict[str, object] = {"id_token": issuer.token(), "access_token": "at"}
    issuer.token_answer = (200, answer)
    assert (await issuer.provider.redeem("code", REQUEST)).claims["groups"] == ["users"]

    issuer.token_answer = (200, answer | {"id_token": issuer.token(issuer.claims(groups=None))})
    with pytest.raises(IssuerAway):
        await issuer.provider.redeem("code", REQUEST)


TYPED = {"email": "boss@example.com"}
VERIFIED = {"email": "eve@example.com", "email_verified": True}


@pytest.mark.parametrize(
    ("told", "userinfo", "address"),
    [
        (TYPED, VERIFIED, None),  # "nOAuth": the token's address is what somebody typed, the yes is for another one
        (VERIFIED, TYPED, "eve@example.com"),
        (TYPED, TYPED | {"email_verified": True}, "boss@example.com"),
        ({"email_verified": True}, TYPED, None),
        ({}, VERIFIED, "eve@example.com"),
        (TYPED, {"email_verified": True}, None),
    ],
)
async def test_a_yes_for_one_address_never_verifies_another(
    told: dict[str, object], userinfo: dict[str, object], address: str | None
) -> None:
    issuer = AnIssuer()
    issuer.token_answer = (200, {"id_token": issuer.token(issuer.claims(**told)), "access_token": "at"})
    issuer.userinfo = {"sub": "ada", **userinfo}

    assert verified_email((await issuer.provider.redeem("code", REQUEST)).claims) == address


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token", "/userinfo"])
async def test_brackets_without_end_are_no_answer(path: str) -> None:
    """What an issuer sends is bounded, in depth too: it ends one sign-in, and no more."""
    issuer = AnIssuer()
    token = issuer.token(issuer.claims(groups=None))
    issuer.token_answer, issuer.userinfo = (200, {"id_token": token, "access_token": "at"}), {"sub": "ada"}
    issuer.raw[path] = b'{"keys": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"

    with pytest.raises(IssuerAway):
        await issuer.provider.redeem("code", REQUEST)
