"""What a token's claims mean."""

import pytest

from domain.issuers import (
    ClaimNames,
    Claims,
    GroupMembership,
    GroupRule,
    Issuer,
    claim_at,
    left_out,
    memberships_of,
    tags_of,
    values_at,
    verified_email,
)
from domain.tenants import Role

NESTED: Claims = {
    "groups": ["a", 7, "b"],
    "role": "admin",
    "realm_access": {"roles": ["x"]},
    "kubernetes.io": {"namespace": "payments", "pod": {"name": "p"}},
    "https://corp.example/groups": ["c"],
}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("groups", ("a", "b")),
        ("role", ("admin",)),
        ("realm_access.roles", ("x",)),
        ("kubernetes.io.namespace", ("payments",)),
        ("kubernetes.io.pod.name", ("p",)),
        ("https://corp.example/groups", ("c",)),
        ("realm_access", ()),
        ("missing", ()),
        ("role.x", ()),
        ("", ()),
    ],
)
def test_a_claim_is_found_by_its_name_or_within_others(name: str, values: tuple[str, ...]) -> None:
    assert values_at(NESTED, name) == values


def test_an_empty_list_of_groups_is_no_group_and_a_missing_one_is_none() -> None:
    assert values_at({"groups": []}, "groups") == values_at({}, "groups") == ()
    assert claim_at({"groups": []}, "groups") == []


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"_claim_names": {"groups": "src1"}}, True),
        ({"hasgroups": True}, True),
        ({"hasgroups": "true"}, True),
        ({"hasgroups": True, "groups": ["a"]}, False),
        ({"_claim_names": {"address": "src1"}}, False),
        ({"_claim_names": "groups"}, False),
        ({"hasgroups": False}, False),
        ({}, False),
    ],
)
def test_groups_that_are_elsewhere_are_told_from_no_groups(claims: Claims, said: bool) -> None:
    assert left_out(claims, "groups") == said


def test_claims_that_name_a_tenant_come_first_and_an_unknown_role_is_the_least() -> None:
    issuer = Issuer(
        name="a",
        issuer="https://a.example",
        claims=ClaimNames(tenant="org", role="role"),
        groups=(GroupRule("g", "ten_g", "owner"),),
    )

    cases: list[tuple[object, Role]] = [
        ("admin", "admin"), (["member", "owner", "x"], "owner"), ("root", "viewer"), (None, "viewer")
    ]  # fmt: skip
    for role, meant in cases:
        found = memberships_of(issuer, {"org": "acme", "role": role, "groups": ["g"]})
        assert found == (GroupMembership("acme", meant), GroupMembership("ten_g", "owner"))


@pytest.mark.parametrize(
    ("claims", "email"),
    [
        ({"email": " Ada@Example.com ", "email_verified": True}, "ada@example.com"),
        ({"email": "ada@example.com", "email_verified": "true"}, "ada@example.com"),
        ({"email": "ada@example.com", "email_verified": "false"}, None),
        ({"email": "ada@example.com", "email_verified": 1}, None),
        ({"email": "ada@example.com"}, None),
        ({"email": "ada", "email_verified": True}, None),
        ({"email": "a b@example.com", "email_verified": True}, None),
        ({"email": ["ada@example.com"], "email_verified": True}, None),
    ],
)
def test_an_address_counts_only_where_the_issuer_has_verified_it(claims: Claims, email: str | None) -> None:
    assert verified_email(claims) == email


def test_tags_are_few_short_and_once() -> None:
    issuer = Issuer(name="a", issuer="https://a.example", claims=ClaimNames(tags="t"))

    assert tags_of(issuer, {"t": ["x", "x", " ", "y" * 65, "z\n", "z"]}) == ("x", "z")
    assert len(tags_of(issuer, {"t": [f"t{n}" for n in range(40)]})) == 16
