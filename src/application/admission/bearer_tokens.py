"""Tokens of issuers as credentials on `/v1`: of people, and of workloads (Kubernetes, GitHub Actions) alike."""

import hashlib
import logging
from typing import Final

import msgspec

from application.admission.issuer_tenants import tenants_given
from application.admission.rights import bearer_of_token
from domain.authority import EVERYWHERE
from domain.errors import GatewayError, PermissionDenied, ServiceUnavailable, Unauthenticated
from domain.grants import groups_in
from domain.issuers import VerifiedToken, overage, tags_of
from domain.keys import Principal
from domain.ports.issuers import IssuerAway, IssuerRefused, TokenVerifier
from domain.ports.repositories import Store
from domain.users import User

log = logging.getLogger(__name__)

MAX_TOKEN: Final = 16 * 1024
_BEGIN: Final = "eyJ"  # base64url of an object's first two characters


class Bearer(msgspec.Struct, frozen=True):
    """Whose a token is, or why it may do nothing. `expires_at` is in seconds since 1970."""

    credential_id: str
    expires_at: float
    principal: Principal | None = None
    refusal: GatewayError | None = None


class BearerTokens:
    """Finds the principal of a token: the verifier says whose it is, and the store what that is worth now."""

    def __init__(self, verifier: TokenVerifier, store: Store) -> None:
        self._verifier = verifier
        self._store = store

    @staticmethod
    def could_be(token: str) -> bool:
        """Whether it looks like one; nothing is decided by it."""
        return token.startswith(_BEGIN) and len(token) <= MAX_TOKEN and token.count(".") == 2

    async def find(self, token: str) -> Bearer | None:
        """None for a token that is nobody's. Raises `ServiceUnavailable`, `StoreUnavailable`."""
        try:
            verified = await self._verifier.verify(token)
        except IssuerRefused as error:
            log.info("a bearer token was refused", extra={"reason": str(error)})
            return None
        except IssuerAway as error:
            log.warning("a bearer token cannot be checked", extra={"reason": str(error)})
            raise ServiceUnavailable(
                "The issuer of this token cannot be asked for its keys now; try again soon.",
                code="store_unavailable",
                retry_after_seconds=5,
            ) from None
        credential_id = credential_of(verified)
        try:
            principal = await self._principal(credential_id, verified)
        except (PermissionDenied, Unauthenticated) as refusal:
            return Bearer(credential_id, verified.expires_at, refusal=refusal)
        return Bearer(credential_id, verified.expires_at, principal)

    async def _principal(self, credential_id: str, verified: VerifiedToken) -> Principal:
        issuer, claims = verified.issuer, verified.claims
        if (refusal := overage(issuer, claims)) is not None:
            raise refusal
        async with self._store.read() as unit:
            given = await tenants_given(unit.tenants, issuer, claims)
            identity = await unit.identities.get(issuer.issuer, verified.subject)
            user: User | None = None
            if identity is not None:
                user = await unit.users.get(identity.user_id)
                if user is None or user.status == "disabled":
                    raise Unauthenticated
            if not given:
                raise PermissionDenied(
                    f"{issuer.shown_as} gives this token no tenant here: no rule of its configuration fits it.",
                    code="permission_denied",
                )
            tenant, role = given[0].tenant, given[0].role
            membership = None
            if identity is not None:
                membership = await unit.memberships.get(tenant.id, identity.user_id, EVERYWHERE)
            if membership is not None and membership.managed_by == "hand":
                role = membership.role  # as at a sign-in: what was set by hand holds over the groups
            groups = await unit.model_groups.patterns(groups_in(tenant.allowed_models))
        return bearer_of_token(credential_id, role, tags_of(issuer, claims), tenant, user, membership, groups)


def credential_of(verified: VerifiedToken) -> str:
    """What stands for issuer and subject where a key's id does: usage, limits and repeated requests are by it."""
    whole = f"{verified.issuer.issuer}\0{verified.subject}".encode()
    return f"jwt_{hashlib.sha256(whole).hexdigest()[:32]}"


def bearer_tokens(verifier: TokenVerifier | None, store: Store) -> BearerTokens | None:
    """None where no issuer gives out such tokens: nothing is then looked at for them."""
    return None if verifier is None else BearerTokens(verifier, store)
