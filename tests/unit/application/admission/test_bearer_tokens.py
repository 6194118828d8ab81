"""Tokens of issuers on `/v1`: whose they are, what they may do, and what is remembered of them (S-10)."""

import msgspec
import pytest

from application.admission.authentication import FRESH_SECONDS
from application.admission.bearer_tokens import BearerTokens
from domain.authority import EVERYWHERE
from domain.errors import PermissionDenied, ServiceUnavailable, Unauthenticated
from domain.issuers import ClaimNames, GroupRule, Identity
from domain.tenants import Membership, Role, Tenant
from domain.users import User
from tests.builders import NOW
from tests.fakes.administration import FakeAdministration
from tests.fakes.issuers import CORP, ISSUER, FakeVerifier

TOKEN = "eyJhbGciOiJFUzI1NiJ9.e30.c2ln"


@pytest.fixture
async def fakes() -> FakeAdministration:
    made = FakeAdministration()
    await made.started()
    made.verifier.tokens[TOKEN] = {"sub": "robot", "groups": ["users"]}
    return made


def configured(fakes: FakeAdministration, **changes: object) -> FakeVerifier:
    fakes.verifier.issuer = msgspec.structs.replace(CORP, **changes)
    return fakes.verifier


async def test_a_token_is_a_principal_of_the_tenant_that_its_groups_give(fakes: FakeAdministration) -> None:
    principal = await fakes.authenticator.authenticate(TOKEN)

    assert (principal.kind, principal.tenant_id, principal.user_id) == ("jwt", "ten_default", None)
    assert principal.key_id is not None
    assert principal.key_id.startswith("jwt_")


async def test_what_is_cached_is_found_by_the_whole_token_and_not_verified_again(fakes: FakeAdministration) -> None:
    """S-10: a head is alike in all tokens of an issuer."""
    first = await fakes.authenticator.authenticate(TOKEN)
    for _ in range(100):
        assert fakes.authenticator.cached(TOKEN) is first
    assert fakes.verifier.verified == 1

    for other in (TOKEN[:-1], TOKEN + "A", TOKEN[:-1] + "A", TOKEN.replace("e30", "e3A")):
        assert fakes.authenticator.cached(other) is None
        with pytest.raises(Unauthenticated):
            await fakes.authenticator.authenticate(other)


async def test_a_token_is_not_remembered_beyond_its_end(fakes: FakeAdministration) -> None:
    fakes.verifier.tokens[TOKEN] = {"sub": "robot", "groups": ["users"], "exp": fakes.clock.now().timestamp() + 2}
    await fakes.authenticator.authenticate(TOKEN)
    fakes.clock.advance(2)

    assert fakes.authenticator.cached(TOKEN) is None
    with pytest.raises(Unauthenticated):
        await fakes.authenticator.authenticate(TOKEN)


async def test_a_tenant_that_is_suspended_or_gone_ends_it_with_the_next_look(fakes: FakeAdministration) -> None:
    await fakes.authenticator.authenticate(TOKEN)
    async with fakes.store.write() as unit:
        tenant = await unit.tenants.get("ten_default", EVERYWHERE)
        assert tenant is not None
        await unit.tenants.update(msgspec.structs.replace(tenant, status="suspended"))
    fakes.clock.advance(FRESH_SECONDS + 0.1)

    with pytest.raises(PermissionDenied) as refusal:
        await fakes.authenticator.authenticate(TOKEN)
    assert refusal.value.code == "tenant_suspended"


async def test_a_token_of_no_tenant_is_told_so_and_one_that_left_its_groups_out_too(fakes: FakeAdministration) -> None:
    for claims, code in (({"groups": ["others"]}, "permission_denied"), ({"hasgroups": True}, "groups_left_out")):
        fakes.authenticator.forget_all()
        fakes.verifier.tokens[TOKEN] = {"sub": "robot", **claims}
        with pytest.raises(PermissionDenied) as refusal:
            await fakes.authenticator.authenticate(TOKEN)
        assert refusal.value.code == code


async def test_a_workload_is_told_by_any_claim_and_brings_tags(fakes: FakeAdministration) -> None:
    """Kubernetes and GitHub Actions: no groups, but claims of their own, some within others."""
    rules = (
        GroupRule("payments", "Shop", "member", "kubernetes.io.namespace"),
        GroupRule("octo/shop", "Shop", "member", "repository"),
    )
    configured(fakes, groups=rules, claims=ClaimNames(tags="environment"))
    async with fakes.store.write() as unit:
        await unit.tenants.add(Tenant("ten_shop", "Shop", "shared", NOW, NOW, tags=("shop",)))
    for claims in ({"kubernetes.io": {"namespace": "payments"}}, {"repository": "octo/shop"}):
        fakes.authenticator.forget_all()
        fakes.verifier.tokens[TOKEN] = {"sub": "robot", "environment": "prod", **claims}

        principal = await fakes.authenticator.authenticate(TOKEN)

        assert (principal.tenant_id, principal.tags) == ("ten_shop", ("prod", "shop"))


async def test_a_token_of_a_person_who_is_known_is_theirs_and_ends_with_them(fakes: FakeAdministration) -> None:
    user = User("usr_1", None, "Ann", NOW, NOW)
    async with fakes.store.write() as unit:
        await unit.users.add(user)
        await unit.identities.put(Identity(ISSUER, "robot", "usr_1", NOW, NOW))
    assert (await fakes.authenticator.authenticate(TOKEN)).user_id == "usr_1"

    async with fakes.store.write() as unit:
        await unit.users.update(msgspec.structs.replace(user, status="disabled"))
    fakes.authenticator.forget_all()
    with pytest.raises(Unauthenticated):
        await fakes.authenticator.authenticate(TOKEN)


async def test_an_issuer_that_is_away_is_no_refusal(fakes: FakeAdministration) -> None:
    """R-25: nobody knows whether the token is good."""
    fakes.verifier.away = True

    with pytest.raises(ServiceUnavailable):
        await fakes.authenticator.authenticate(TOKEN)


async def test_two_subjects_and_two_issuers_are_never_one_credential(fakes: FakeAdministration) -> None:
    found = set()
    for issuer, subject in ((ISSUER, "a"), (ISSUER, "b"), (ISSUER + "a", ""), (ISSUER[:-1], "ea")):
        verifier = configured(fakes, issuer=issuer)
        verifier.tokens[TOKEN] = {"sub": subject, "groups": ["users"]}
        bearer = await BearerTokens(verifier, fakes.store).find(TOKEN)
        assert bearer is not None
        found.add(bearer.credential_id)

    assert len(found) == 4


@pytest.mark.parametrize(
    ("group", "by_hand", "usage_alone"),
    [("users", "viewer", True), ("guests", "member", False), ("users", None, False)],
)
async def test_a_role_that_was_set_by_hand_holds_over_that_of_the_groups(
    fakes: FakeAdministration, group: str, by_hand: Role | None, usage_alone: bool
) -> None:
    """As at a sign-in: what an admin took from somebody, their token does not give back."""
    async with fakes.store.write() as unit:
        await unit.users.add(User("usr_1", None, "Ann", NOW, NOW))
        await unit.identities.put(Identity(ISSUER, "robot", "usr_1", NOW, NOW))
        if by_hand is not None:
            await unit.memberships.add(Membership("ten_default", "usr_1", by_hand, NOW, NOW))
    fakes.verifier.tokens[TOKEN] = {"sub": "robot", "groups": [group]}

    principal = await fakes.authenticator.authenticate(TOKEN)

    assert (principal.grants is not None and principal.grants.scopes == frozenset({"usage"})) == usage_alone


@pytest.mark.parametrize("claim", [[f"t{number}" for number in range(4000)], [["nested"], {"a": 1}, 7, None]])
async def test_a_claim_that_names_thousands_or_nothing_readable_gives_nothing(
    fakes: FakeAdministration, claim: list[object]
) -> None:
    """A token is 16 KiB: each tenant in it would be looked up."""
    configured(fakes, claims=ClaimNames(tenant="tenants"), groups=())
    fakes.verifier.tokens[TOKEN] = {"sub": "robot", "tenants": claim}

    with pytest.raises(PermissionDenied):
        await fakes.authenticator.authenticate(TOKEN)
