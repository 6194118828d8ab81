"""What every identity provider and every verifier of tokens does, the fakes included."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.identity.opening import BearerTokenVerifier
from domain.issuers import Claims
from domain.ports.issuers import (
    IdentityProvider,
    IssuerAway,
    IssuerRefused,
    SignedInThere,
    SignInRequest,
    TokenVerifier,
)
from domain.secrets import Secret
from tests.fakes.issuers import FakeProvider, FakeVerifier
from tests.unit.adapters.identity.an_issuer import AnIssuer, key_for

NONCE = "n" * 64
REQUEST = SignInRequest("s" * 64, NONCE, "v" * 64, "https://gateway.example/auth/oidc/corp/callback")
SAID: Claims = {"sub": "ada", "groups": ["users"]}


class FakedIssuer:
    """The fake, as a test of the contract drives it."""

    def __init__(self) -> None:
        self.fake = FakeProvider()
        self.provider: IdentityProvider = self.fake

    def gives(self, code: str) -> None:
        self.fake.codes = {code: SignedInThere("ada", SAID, Secret("refresh"))}

    def renews(self, token: str) -> None:
        self.fake.renewals = {token: SignedInThere("ada", SAID, Secret(token))}

    def goes_away(self) -> None:
        self.fake.away = True


class WiredIssuer:
    """OpenID Connect over a mocked wire."""

    def __init__(self) -> None:
        self.issuer = AnIssuer()
        self.provider: IdentityProvider = self.issuer.provider

    def gives(self, code: str) -> None:
        self.issuer.code = code
        self.issuer.token_answer = (200, {"id_token": self.issuer.token(), "refresh_token": "refresh"})

    def renews(self, token: str) -> None:
        self.issuer.code = token
        self.issuer.token_answer = (200, {"id_token": self.issuer.token(self.issuer.claims(nonce=None))})

    def goes_away(self) -> None:
        self.issuer.away = True


@pytest.fixture(params=[FakedIssuer, WiredIssuer])
def there(request: pytest.FixtureRequest) -> FakedIssuer | WiredIssuer:
    made: FakedIssuer | WiredIssuer = request.param()
    return made


async def test_a_browser_is_sent_with_state_and_nonce_and_a_code_tells_who_it_is(
    there: FakedIssuer | WiredIssuer,
) -> None:
    there.gives("code")
    asked = parse_qs(urlsplit(await there.provider.address(REQUEST)).query)
    found = await there.provider.redeem("code", REQUEST)

    assert (asked["state"], asked["nonce"]) == ([REQUEST.state], [NONCE])
    assert asked["redirect_uri"] == [REQUEST.redirect_uri]
    assert (found.subject, found.claims["groups"], found.refresh_token) == ("ada", ["users"], Secret("refresh"))


async def test_a_code_that_is_not_known_is_refused(there: FakedIssuer | WiredIssuer) -> None:
    there.gives("code")
    await there.provider.address(REQUEST)

    with pytest.raises(IssuerRefused):
        await there.provider.redeem("another", REQUEST)


async def test_a_refresh_token_tells_of_the_same_person_alone(there: FakedIssuer | WiredIssuer) -> None:
    there.renews("token")

    assert (await there.provider.renew(Secret("token"), "ada")).claims["groups"] == ["users"]
    for token, subject in (("token", "eve"), ("another", "ada")):
        with pytest.raises(IssuerRefused):
            await there.provider.renew(Secret(token), subject)


async def test_an_answer_that_names_another_issuer_is_refused(there: FakedIssuer | WiredIssuer) -> None:
    await there.provider.check_answer(None)
    await there.provider.check_answer(there.provider.issuer.issuer)
    with pytest.raises(IssuerRefused):
        await there.provider.check_answer("https://evil.example")


async def test_an_issuer_that_is_away_says_so(there: FakedIssuer | WiredIssuer) -> None:
    there.goes_away()

    with pytest.raises(IssuerAway):
        await there.provider.address(REQUEST)
    with pytest.raises(IssuerAway):
        await there.provider.redeem("code", REQUEST)


def a_fake() -> tuple[TokenVerifier, str, str]:
    return FakeVerifier({"good": SAID}), "good", "forged"


def a_real() -> tuple[TokenVerifier, str, str]:
    issuer = AnIssuer()
    claims = issuer.claims(aud="omg-api")
    forged = issuer.token(claims, key=key_for("ES256", 1))
    return BearerTokenVerifier([(issuer.settings, issuer.check)]), issuer.token(claims), forged


@pytest.mark.parametrize("make", [a_fake, a_real])
async def test_a_good_token_tells_its_subject_and_another_one_is_refused(
    make: Callable[[], tuple[TokenVerifier, str, str]],
) -> None:
    verifier, good, forged = make()

    found = await verifier.verify(good)

    assert (found.subject, found.claims["groups"], found.issuer.name) == ("ada", ["users"], "corp")
    for token in (forged, "", "eyJ.e30.x", "x" * 20_000):
        with pytest.raises(IssuerRefused):
            await verifier.verify(token)
