"""S-30, T-S8: forged and foreign tokens, each refused; and what is right is taken, in every algorithm."""

import base64
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest

from adapters.identity.token_check import LEEWAY_SECONDS
from domain.ports.issuers import IssuerRefused
from tests.unit.adapters.identity.an_issuer import ALGORITHMS, NONCE, AnIssuer, encoded, key_for, public, rsa_key

RS = {"alg": "RS256", "kid": "rsa"}


@pytest.fixture(scope="module")
def issuer() -> AnIssuer:
    made = AnIssuer()
    made.keys |= {"rsa": rsa_key(), "ps": rsa_key(), "ed": key_for("EdDSA")}
    made.listed = [public(key, kid, **({"alg": "PS256"} if kid == "ps" else {})) for kid, key in made.keys.items()]
    return made


async def refused(issuer: AnIssuer, token: str) -> None:
    with pytest.raises(IssuerRefused):
        await issuer.check.id_token(token, NONCE)
    with pytest.raises(IssuerRefused):
        await issuer.check.bearer(token)


def by_secret(secret: bytes) -> Callable[[AnIssuer], str]:
    """Signed with what everybody knows, or the client: HS256 in the place of RS256."""

    def made(issuer: AnIssuer) -> str:
        text = f"{encoded({'alg': 'HS256', 'kid': 'rsa'})}.{encoded(whole(issuer))}"
        return f"{text}.{encoded(hmac.digest(secret, text.encode(), 'sha256'))}"

    return made


def whole(issuer: AnIssuer, **changes: object) -> dict[str, object]:
    """For both audiences, so that what refuses is what the case is about."""
    return issuer.claims(**{"aud": ["omg", "omg-api"], "azp": "omg", **changes})


def good(issuer: AnIssuer, **header: Any) -> str:
    return issuer.token(whole(issuer), "RS256", "rsa", **header)


def headed(head: dict[str, object], signature: bytes = b"") -> Callable[[AnIssuer], str]:
    """A head of one's own over good claims, with no signature, or one of something else."""
    return lambda issuer: f"{encoded(head)}.{encoded(whole(issuer))}.{encoded(signature)}"


def recut(change: Callable[[list[str]], list[str]]) -> Callable[[AnIssuer], str]:
    """A good token, whose parts are changed after it was signed."""
    return lambda issuer: ".".join(change(good(issuer).split(".")))


def signed_text(head: str, body: str) -> Callable[[AnIssuer], str]:
    """Rightly signed, and not what our own encoder would write."""

    def made(issuer: AnIssuer) -> str:
        text = body.replace("CLAIMS", json.dumps(whole(issuer))[1:-1])
        over = f"{encoded(head.encode())}.{encoded(text.encode())}"
        from joserfc.jws import JWSRegistry

        signature = JWSRegistry.algorithms["RS256"].sign(over.encode(), issuer.keys["rsa"])
        return f"{over}.{encoded(signature)}"

    return made


HEAD = json.dumps(RS)
FORGED: dict[str, Callable[[AnIssuer], str]] = {
    "alg none": headed({"alg": "none", "kid": "rsa"}),
    "alg none in other letters": headed({"alg": "nOnE", "kid": "rsa"}),
    "alg none with a signature": headed({"alg": "none", "kid": "rsa"}, b"x" * 256),
    "no alg": headed({"kid": "rsa"}, b"x" * 256),
    "alg a list": headed({"alg": ["RS256"], "kid": "rsa"}, b"x" * 256),
    "HS256 with the public key": by_secret(rsa_key().as_pem(private=False)),
    "HS256 with the public key as JWK": by_secret(json.dumps(public(rsa_key(), "rsa")).encode()),
    "HS256 with the client's secret": by_secret(b"the client's secret"),
    "HS256 with an empty secret": by_secret(b""),
    "another key under the same kid": lambda i: i.token(whole(i), "RS256", "rsa", rsa_key(1)),
    "a kid that is none of the issuer's": lambda i: i.token(whole(i), "RS256", "evil", rsa_key(1)),
    "no kid": headed({"alg": "RS256"}, b"x" * 256),
    "a kid that is a path": lambda i: i.token(whole(i), "RS256", "../../dev/null", rsa_key(1)),
    "a kid that is no text": headed({"alg": "RS256", "kid": 7}, b"x" * 256),
    "its own key in the head": lambda i: i.token(whole(i), "RS256", "rsa", rsa_key(1), jwk=public(rsa_key(1), "rsa")),
    "jku to another key set": lambda i: i.token(whole(i), "RS256", "rsa", rsa_key(1), jku="https://evil.example/keys"),
    "x5u to another certificate": lambda i: i.token(whole(i), "RS256", "rsa", rsa_key(1), x5u="https://evil.example/c"),
    "crit, known": signed_text('{"alg": "RS256", "kid": "rsa", "crit": ["exp"], "exp": 1}', "{CLAIMS}"),
    "crit, unknown": signed_text('{"alg": "RS256", "kid": "rsa", "crit": ["bork"], "bork": 1}', "{CLAIMS}"),
    "b64 false": signed_text('{"alg": "RS256", "kid": "rsa", "b64": false, "crit": ["b64"]}', "{CLAIMS}"),
    "a token within a token": signed_text('{"alg": "RS256", "kid": "rsa", "cty": "JWT"}', "{CLAIMS}"),
    "a token for something else": signed_text('{"alg": "RS256", "kid": "rsa", "typ": "logout+jwt"}', "{CLAIMS}"),
    "a head with a name twice": signed_text('{"alg": "none", "alg": "RS256", "kid": "rsa"}', "{CLAIMS}"),
    "a claim twice": signed_text(HEAD, '{CLAIMS, "sub": "root"}'),
    "a claim twice, deep within": signed_text(HEAD, '{CLAIMS, "x": {"a": 1, "a": 2}}'),
    "claims that are a list": signed_text(HEAD, "[{CLAIMS}]"),
    "claims too deep": signed_text(HEAD, '{CLAIMS, "x": ' + "[" * 40 + "]" * 40 + "}"),
    "claims that are no JSON": signed_text(HEAD, '{CLAIMS, "x": NaN}'),
    "claims changed": recut(lambda p: [p[0], encoded({"sub": "root"}), p[2]]),
    "a signature cut": recut(lambda p: [p[0], p[1], p[2][:-4]]),
    "no signature": recut(lambda p: [p[0], p[1], ""]),
    "a signature in other letters": recut(lambda p: [p[0], p[1], p[2] + "="]),
    "two parts": recut(lambda p: p[:2]),
    "four parts": recut(lambda p: [*p, "x"]),
    "five parts, as if encrypted": recut(lambda p: [*p, "x", "y"]),
    "no base64": lambda _: "*.*.*",
    "a key of another kind": lambda i: i.token(whole(i), "ES256", "rsa", key_for("ES256")),
    "PS256 with a signature of RS256": lambda i: ".".join([encoded(RS | {"alg": "PS256"}), *good(i).split(".")[1:]]),
    "a key that is for another algorithm": lambda i: i.token(whole(i), "RS256", "ps"),
    "huge": lambda i: i.token(whole(i, x="x" * 20_000), "RS256", "rsa"),
}

WRONG: dict[str, dict[str, object]] = {
    "expired": {"exp": -LEEWAY_SECONDS},
    "no exp": {"exp": None},
    "exp a text": {"exp": "tomorrow"},
    "exp beyond time": {"exp": 1e300},
    "exp a yes": {"exp": True},
    "not yet": {"nbf": LEEWAY_SECONDS + 1},
    "nbf a text": {"nbf": "yesterday"},
    "made in the future": {"iat": LEEWAY_SECONDS + 1},
    "of another issuer": {"iss": "https://evil.example"},
    "of the issuer with a slash": {"iss": "https://login.example/realm/"},
    "of a list of issuers": {"iss": ["https://login.example/realm"]},
    "of nobody": {"iss": None},
    "for another": {"aud": "else", "azp": None},
    "for nobody": {"aud": []},
    "for no text": {"aud": {"omg": 1, "omg-api": 1}},
    "without aud": {"aud": None},
    "without sub": {"sub": None},
    "sub empty": {"sub": ""},
    "sub blank": {"sub": "  "},
    "sub a number": {"sub": 7},
    "sub a list": {"sub": ["ada"]},
    "sub too long": {"sub": "a" * 256},
    "sub with a line's end": {"sub": "ada\nroot"},
}
_RELATIVE = ("exp", "nbf", "iat")

WRONG_AT_SIGN_IN: dict[str, dict[str, object]] = {
    "several audiences and no party": {"azp": None},
    "made for another party": {"azp": "else"},
    "one audience, another party": {"aud": "omg", "azp": "else"},
    "without iat": {"iat": None},
    "made the day before": {"iat": -90_000},
    "another nonce": {"nonce": "x" * 64},
    "no nonce": {"nonce": None},
    "a nonce that is no text": {"nonce": [NONCE]},
}


def moved(issuer: AnIssuer, changes: dict[str, object]) -> dict[str, object]:
    """Times count from now."""
    return {
        name: value + issuer.now
        if name in _RELATIVE and isinstance(value, int | float) and not isinstance(value, bool)
        else value
        for name, value in changes.items()
    }


@pytest.mark.parametrize("case", FORGED)
async def test_a_forged_token_is_refused(issuer: AnIssuer, case: str) -> None:
    await refused(issuer, FORGED[case](issuer))


@pytest.mark.parametrize("case", WRONG)
async def test_a_token_that_is_rightly_signed_and_says_what_is_wrong_is_refused(issuer: AnIssuer, case: str) -> None:
    await refused(issuer, issuer.token(whole(issuer, **moved(issuer, WRONG[case])), "RS256", "rsa"))


@pytest.mark.parametrize("case", WRONG_AT_SIGN_IN)
async def test_an_id_token_of_another_sign_in_is_refused(issuer: AnIssuer, case: str) -> None:
    claims = whole(issuer, **moved(issuer, WRONG_AT_SIGN_IN[case]))
    with pytest.raises(IssuerRefused):
        await issuer.check.id_token(issuer.token(claims, "RS256", "rsa"), NONCE)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_good_token_is_taken_in_every_algorithm(algorithm: str) -> None:
    issuer = AnIssuer()
    issuer.keys = {"k1": key_for(algorithm)}
    token = issuer.token(whole(issuer), algorithm)

    assert (await issuer.check.id_token(token, NONCE))["sub"] == "ada"
    assert (await issuer.check.bearer(token)).subject == "ada"


async def test_an_algorithm_that_is_not_on_the_list_is_refused_however_good_the_signature() -> None:
    issuer = AnIssuer(algorithms=("RS256", "EdDSA"))

    await refused(issuer, issuer.token(whole(issuer)))


async def test_an_id_token_is_no_bearer_where_the_audiences_differ_and_none_is_without_an_audience() -> None:
    """A token for another service of the same issuer must not be a key here (RFC 8725, 3.9)."""
    issuer, silent = AnIssuer(), AnIssuer(audience="")

    await issuer.check.id_token(issuer.token(), NONCE)
    with pytest.raises(IssuerRefused):
        await issuer.check.bearer(issuer.token())
    with pytest.raises(IssuerRefused):
        await silent.check.bearer(silent.token(whole(silent, aud=["", "omg"])))


async def test_clocks_may_differ_by_half_a_minute() -> None:
    issuer = AnIssuer()
    late, early = {"exp": 1 - LEEWAY_SECONDS}, {"nbf": LEEWAY_SECONDS, "iat": LEEWAY_SECONDS}
    for changes in (late, early):
        await issuer.check.bearer(issuer.token(whole(issuer, **moved(issuer, dict(changes)))))


async def test_a_head_with_certificates_is_read_and_they_are_not_followed() -> None:
    """Some issuers send a chain, or say where their own keys are: it is right, and says nothing to us."""
    issuer = AnIssuer()
    chain = [base64.b64encode(b"c" * 1200).decode()]
    token = issuer.token(whole(issuer), x5c=chain, jku="https://evil.example/keys", x5t="abc", typ="at+jwt")

    assert (await issuer.check.bearer(token)).subject == "ada"
    assert issuer.asked == ["/.well-known/openid-configuration", "/keys"]


async def test_a_renewed_token_has_no_nonce() -> None:
    issuer = AnIssuer()

    assert (await issuer.check.id_token(issuer.token(issuer.claims(nonce=None)), None))["sub"] == "ada"
