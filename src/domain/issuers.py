"""Identity providers: how one is configured, what a token of theirs said, and what follows from it here.

An account is the issuer and the subject, never an address (S-30, OpenID Connect Core 2 and 5.7).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from domain.errors import PermissionDenied
from domain.secrets import Secret
from domain.tenants import RANK, Role

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
"""Signatures that can be asked for. None of them can be made with what the gateway knows of an issuer."""

Claims = Mapping[str, object]
"""What a token says, by the name of the claim; only ever of one whose signature held."""

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Text = Annotated[str, Meta(min_length=1, max_length=2048)]

MAX_TAGS: Final = 16
MAX_TAG: Final = 64


class GroupRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whoever's `claim` is `value`, or is a list with it, is in `tenant` (its id, external id or name) as `role`."""

    value: Text
    tenant: Text
    role: Role = "member"
    claim: Text = "groups"


class ClaimNames(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The claims that say tenant, role and tags themselves, where an issuer has such."""

    tenant: Text | None = None
    role: Text | None = None
    tags: Text | None = None


class Issuer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One identity provider. `client_id` is for sign-in, `audience` for tokens that programs send as a bearer.

    With `only_members` nobody signs in to whom no rule and no claim gives a tenant.
    """

    name: Name
    issuer: Text
    title: str = ""
    client_id: str = ""
    client_secret: Secret = Secret("")
    scopes: tuple[Text, ...] = ("openid", "email", "profile")
    audience: str = ""
    algorithms: Annotated[tuple[Algorithm, ...], Meta(min_length=1)] = ("RS256", "ES256", "EdDSA")
    sign_in: bool = True
    bearer: bool = False
    claims: ClaimNames = ClaimNames()
    groups: tuple[GroupRule, ...] = ()
    link_verified_email: bool = False
    only_members: bool = False

    @property
    def shown_as(self) -> str:
        """What people read on the button."""
        return self.title or self.name

    @property
    def wanted_claims(self) -> tuple[str, ...]:
        """The claims that decide who is in which tenant, as they are written in the configuration."""
        named = (self.claims.tenant, self.claims.role, *(rule.claim for rule in self.groups))
        return tuple(dict.fromkeys(name for name in named if name is not None))


class Identity(msgspec.Struct, frozen=True):
    """The account of a person at an issuer, and whose it is here. `granted` are the roles that it gives, by tenant."""

    issuer: str
    subject: str
    user_id: str
    created_at: datetime
    last_seen_at: datetime
    granted: Mapping[str, Role] = {}


class VerifiedToken(msgspec.Struct, frozen=True):
    """A token whose signature, issuer, audience and times held. `expires_at` is in seconds since 1970."""

    issuer: Issuer
    subject: str
    claims: Claims
    expires_at: float


class GroupMembership(msgspec.Struct, frozen=True):
    """A tenant as the issuer names it, and the role there."""

    tenant: str
    role: Role


def claim_at(claims: Claims, name: str) -> object:
    """The claim of this name; else, where the name has dots, one inside another (`realm_access.roles`). None if none.

    The longest outer name wins: of a Kubernetes token `kubernetes.io.namespace` is `namespace` in `kubernetes.io`.
    """
    if name in claims:
        return claims[name]
    end = len(name)
    while (end := name.rfind(".", 0, end)) > 0:
        outer = claims.get(name[:end])
        if isinstance(outer, Mapping):
            return claim_at(outer, name[end + 1 :])
    return None


def values_at(claims: Claims, name: str) -> tuple[str, ...]:
    """The texts of a claim that is one or a list of them; what is no text says nothing."""
    found = claim_at(claims, name)
    if isinstance(found, str):
        return (found,)
    return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list | tuple) else ()


def left_out(claims: Claims, name: str) -> bool:
    """Whether the issuer says that it left this claim out because it is too long: it is somewhere else then.

    Entra's "groups overage": `_claim_names` names the claim, or `hasgroups` is true in a token of the implicit flow
    (learn.microsoft.com, "Access token claims reference", read 2026-11). OpenID Connect Core 5.6.2 has the former for
    any claim.
    """
    if claim_at(claims, name) is not None:
        return False
    names = claims.get("_claim_names")
    if isinstance(names, Mapping) and name in names:
        return True
    return name == "groups" and claims.get("hasgroups") in (True, "true")


def overage(issuer: Issuer, claims: Claims) -> PermissionDenied | None:
    """The refusal of a token that leaves out what decides: it is never taken for "in no group"."""
    missing = next((name for name in issuer.wanted_claims if left_out(claims, name)), None)
    if missing is None:
        return None
    return PermissionDenied(
        f"{issuer.shown_as} left the claim '{missing}' out of the token because you are in too many groups, so the "
        "gateway cannot tell which tenants are yours. Ask whoever manages the directory to send only the groups "
        "assigned to this application, or to use app roles.",
        code="groups_left_out",
    )


def memberships_of(issuer: Issuer, claims: Claims) -> tuple[GroupMembership, ...]:
    """What the token gives, in the order of the configuration: the claims that name a tenant first, then the rules.

    Of a role that is none of ours the least is taken. One tenant may come up several times.
    """
    return tuple(_given(issuer, claims))


def _given(issuer: Issuer, claims: Claims) -> Iterator[GroupMembership]:
    if issuer.claims.tenant is not None:
        role = _role(issuer, claims)
        yield from (GroupMembership(tenant, role) for tenant in values_at(claims, issuer.claims.tenant) if tenant)
    for rule in issuer.groups:
        if rule.value in values_at(claims, rule.claim):
            yield GroupMembership(rule.tenant, rule.role)


def _role(issuer: Issuer, claims: Claims) -> Role:
    """The highest that the claim names; `member` where no claim is configured for it."""
    if issuer.claims.role is None:
        return "member"
    named: list[Role] = [role for role in RANK if role in values_at(claims, issuer.claims.role)]
    return highest(named) if named else "viewer"


def highest(roles: Sequence[Role]) -> Role:
    return max(roles, key=lambda role: RANK[role])


def tags_of(issuer: Issuer, claims: Claims) -> tuple[str, ...]:
    """The tags that the token gives to each request; what is no tag is left out."""
    if issuer.claims.tags is None:
        return ()
    found = (tag.strip() for tag in values_at(claims, issuer.claims.tags))
    return tuple(dict.fromkeys(tag for tag in found if 0 < len(tag) <= MAX_TAG and tag.isprintable()))[:MAX_TAGS]


def verified_email(claims: Claims) -> str | None:
    """The address that the issuer has verified, in lower case. Some write the yes as text (Cognito's userinfo)."""
    email, verified = claims.get("email"), claims.get("email_verified")
    if not (verified is True or verified == "true") or not isinstance(email, str):
        return None
    email = email.strip().lower()
    local, at, host = email.rpartition("@")
    plain = email.isprintable() and not any(letter.isspace() for letter in email)
    return email if at and local and host and plain and len(email) <= 254 else None


def name_of(claims: Claims) -> str:
    """What to call the person."""
    for claim in ("name", "preferred_username", "email", "sub"):
        value = claims.get(claim)
        if isinstance(value, str) and value.strip():
            return value.strip()[:200]
    return ""
