"""What a stored key may do now: its own lists and limits, its owner's place, its tenant's, all together (S-01).

Nothing is written into a key of what its maker had. It is held against owner and tenant whenever it is read, so that
whatever these lose the key loses at the next request.
"""

from collections.abc import Mapping, Sequence

import msgspec

from domain.errors import GatewayError, PermissionDenied, Unauthenticated
from domain.grants import Grants, Patterns, groups_in, networks
from domain.keys import IssuedKey, Principal
from domain.limits import Budget, RateLimits
from domain.subject_limits import Subject, SubjectRules
from domain.tenants import Membership, Role, Tenant
from domain.users import User

Groups = Mapping[str, Sequence[str]]
"""Patterns by the name of their model group."""

_MAY_HAVE_KEYS: frozenset[Role] = frozenset({"member", "admin", "owner"})

_UNLIMITED = RateLimits()


def refusal_of(issued: IssuedKey) -> GatewayError | None:
    """Why the key may not be used at all, whatever for; None where it may.

    A key goes with its owner: with one who is gone, disabled, or no longer (more than a viewer) in the tenant.
    """
    key, membership = issued.key, issued.membership
    if key.revoked_at is not None:
        return Unauthenticated()
    if key.owner_id is not None:
        if issued.owner is None or issued.owner.status == "disabled":
            return Unauthenticated()
        if membership is None or membership.role not in _MAY_HAVE_KEYS:
            return Unauthenticated()
    if issued.tenant.status == "suspended":
        return _suspended(issued.tenant)
    return None


def groups_of(issued: IssuedKey) -> set[str]:
    """The model groups that its lists name."""
    return groups_in(issued.key.allowed_models) | groups_in(issued.tenant.allowed_models)


def principal_of(issued: IssuedKey, groups: Groups) -> Principal:
    """Who calls with this key."""
    key, tenant = issued.key, issued.tenant
    return Principal(
        "virtual_key",
        key.id,
        key.tenant_id,
        _grants(issued, groups),
        key.strict,
        _rules(issued),
        key.owner_id,
        tuple(dict.fromkeys((*key.tags, *tenant.tags))),
        tenant.kind == "personal",
    )


def person_in_tenant(user: User, membership: Membership, tenant: Tenant, groups: Groups) -> Principal:
    """Somebody who asks without a key, for a tenant. Raises `PermissionDenied` for one that is suspended."""
    if tenant.status == "suspended":
        raise _suspended(tenant)
    grants = _lists(_EVERYTHING, [tenant.allowed_models], [tenant.allowed_providers], [tenant.cidrs], groups)
    rules = _limited(*_rules_of(user, membership, tenant))
    personal = tenant.kind == "personal"
    return Principal("person", None, tenant.id, grants, False, rules, user.id, tenant.tags, personal)


def bearer_of_token(
    credential_id: str,
    role: Role,
    tags: tuple[str, ...],
    tenant: Tenant,
    user: User | None,
    membership: Membership | None,
    groups: Groups,
) -> Principal:
    """Whoever holds a token of an issuer, for a tenant. A viewer reads usage alone.

    Raises `PermissionDenied` for a tenant that is suspended.
    """
    if tenant.status == "suspended":
        raise _suspended(tenant)
    own = Grants(scopes=None if role in _MAY_HAVE_KEYS else frozenset({"usage"}))
    grants = _lists(own, [tenant.allowed_models], [tenant.allowed_providers], [tenant.cidrs], groups)
    rules = _limited(*_rules_of(user, membership, tenant))
    of_user = user.id if user is not None else None
    all_tags = tuple(dict.fromkeys((*tags, *tenant.tags)))
    return Principal("jwt", credential_id, tenant.id, grants, False, rules, of_user, all_tags)


def _suspended(tenant: Tenant) -> PermissionDenied:
    return PermissionDenied(f"The tenant '{tenant.name}' is suspended.", code="tenant_suspended")


def _grants(issued: IssuedKey, groups: Groups) -> Grants | None:
    """None where nothing is restricted, which costs a request nothing."""
    key, tenant = issued.key, issued.tenant
    own = Grants(
        endpoints=None if key.allowed_endpoints is None else frozenset(key.allowed_endpoints),
        scopes=None if key.scopes is None else frozenset(key.scopes),
    )
    return _lists(
        own,
        (key.allowed_models, tenant.allowed_models),
        (key.allowed_providers, tenant.allowed_providers),
        (key.cidrs, tenant.cidrs),
        groups,
    )


_Lists = Sequence[tuple[str, ...] | None]


def _lists(own: Grants, models: _Lists, providers: _Lists, cidrs: _Lists, groups: Groups) -> Grants | None:
    """`own` with all lists that there are, of which each narrows."""
    grants = msgspec.structs.replace(
        own,
        models=tuple(Patterns(each, groups) for each in models if each is not None),
        providers=tuple(Patterns(each) for each in providers if each is not None),
        networks=tuple(networks(each) for each in cidrs if each is not None),
    )
    return None if grants == _EVERYTHING else grants


_EVERYTHING = Grants()

_Rule = tuple[Subject, RateLimits, tuple[Budget, ...]]


def _rules(issued: IssuedKey) -> tuple[SubjectRules, ...]:
    """Of all whom the key acts for: itself, its owner in the tenant, its owner, the tenant."""
    key = issued.key
    return _limited(
        (Subject("key", key.id), key.limits, key.budgets),
        *_rules_of(issued.owner, issued.membership, issued.tenant),
    )


def _rules_of(user: User | None, member: Membership | None, tenant: Tenant) -> list[_Rule]:
    found: list[_Rule] = []
    if member is not None:
        found.append((Subject("member", f"{member.tenant_id}/{member.user_id}"), member.limits, member.budgets))
    if user is not None:
        found.append((Subject("user", user.id), user.limits, user.budgets))
    return [*found, (Subject("tenant", tenant.id), tenant.limits, tenant.budgets)]


def _limited(*found: _Rule) -> tuple[SubjectRules, ...]:
    """Those that limit anything."""
    return tuple(
        SubjectRules(subject, limits, budgets) for subject, limits, budgets in found if limits != _UNLIMITED or budgets
    )
