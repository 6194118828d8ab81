"""Tenants, users, members and keys as a document writes them: named by their names and addresses, not by ids."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec

from application.admin.members import MemberChange, NewMember
from application.admin.paging import MAX_LIMIT, Page
from application.admin.tenants import NewTenant, TenantChange
from application.admin.users import NewUser, UserChange, normal_email
from application.admin.virtual_keys import Credential, NewVirtualKey, VirtualKeyChange
from application.admission.authentication import DEFAULT_TENANT_ID
from application.desired_state.objects import Administration, Draft, Found, Given, Kind, Made, References
from application.sign_in.accounts import NewAccount
from domain.actors import CONFIGURATION, Actor
from domain.errors import RequestInvalid
from domain.keys import VIRTUAL_KEY_PREFIX, VirtualKey, well_formed
from domain.limits import Budgets, RateLimits
from domain.secrets import Secret
from domain.tenants import Role, Tenant
from domain.users import User

T = TypeVar("T")

PERSONAL = "personal/"
"""Before an address: that person's own tenant."""

MIN_SECRET_LENGTH = 32


class MemberEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A member as a document writes one."""

    tenant_id: str
    email: str
    role: Role = "member"
    limits: RateLimits = RateLimits()
    budgets: Budgets = ()


async def every(page: Callable[[str | None], Awaitable[Page[T]]]) -> AsyncIterator[T]:
    """What is on all pages."""
    cursor: str | None = None
    while True:
        found = await page(cursor)
        for each in found.data:
            yield each
        cursor = found.next_cursor
        if cursor is None:
            return


async def _tenants(of: Administration, _: References) -> Sequence[Found]:
    listed = [
        each
        async for each in every(lambda cursor: of.tenants.list_page(CONFIGURATION, MAX_LIMIT, cursor))
        if each.kind == "shared"
    ]
    names = Counter(each.name for each in listed)
    found = []
    for each in reversed(listed):
        aliases = [each.external_id] if each.external_id else []
        key = each.name if names[each.name] == 1 and each.name else each.id
        kept = "it is the default one" if each.id == DEFAULT_TENANT_ID else ""
        found.append(Found(each.id, key, _copy(each, NewTenant), kept=kept, aliases=tuple(aliases)))
    return found


def _copy(entity: msgspec.Struct, type_: type[msgspec.Struct]) -> msgspec.Struct:
    """Those fields of an entity that one writes of it."""
    return type_(**{name: getattr(entity, name) for name in type_.__struct_fields__})


async def _create_tenant(of: Administration, actor: Actor, draft: Draft, _: References) -> Made:
    return Made((await of.tenants.create(actor, draft.of(NewTenant))).id)


async def _update_tenant(of: Administration, actor: Actor, tenant_id: str, draft: Draft, _: References) -> Tenant:
    return await of.tenants.update(actor, tenant_id, draft.change(TenantChange))


async def _users(of: Administration, refs: References) -> Sequence[Found]:
    """All with an address; the personal tenant of each is learned beside, by it."""
    found = []
    async for user in every(lambda cursor: of.users.list_page(MAX_LIMIT, cursor)):
        name = user.email or user.id
        refs.learn("users", name, user.id)
        if user.personal_tenant_id is not None:
            refs.learn("tenants", PERSONAL + name, user.personal_tenant_id)
        if user.email is not None:
            kept = "an admin of the platform is deleted by hand" if user.platform_role == "admin" else ""
            found.append(Found(user.id, user.email, _copy(user, NewUser), kept=kept))
    return found[::-1]


def _refer_user(given: Given, refs: References) -> dict[str, object]:
    email = given.get("email")
    if not isinstance(email, str):
        raise RequestInvalid("a user has an 'email'")
    key = normal_email(email)
    refs.learn("users", key, aliases=[email])
    refs.learn("tenants", PERSONAL + key, aliases=[PERSONAL + email])
    return {**given, "email": key}


async def _create_user(of: Administration, actor: Actor, draft: Draft, refs: References) -> Made:
    if draft.secret is not None:
        given = {name: getattr(draft.entry, name) for name in NewUser.__struct_fields__}
        user, _ = await of.accounts.create(actor, NewAccount(**given, password=draft.secret.reveal()))
    else:
        user = await of.users.create(actor, draft.of(NewUser))
    if user.personal_tenant_id is not None:
        refs.learn("tenants", PERSONAL + draft.key, user.personal_tenant_id)
    return Made(user.id)


async def _update_user(of: Administration, actor: Actor, user_id: str, draft: Draft, _: References) -> User:
    return await of.users.update(actor, user_id, draft.change(UserChange))


def _refer_member(given: Given, refs: References) -> dict[str, object]:
    tenant = refs.key("tenants", str(given.get("tenant_id")), "tenant_id")
    user = refs.key("users", str(given.get("user_id") or given.get("email")), "email")
    rest = {name: value for name, value in given.items() if name != "user_id"}
    return {**rest, "tenant_id": tenant, "email": user}


async def _members(of: Administration, refs: References) -> Sequence[Found]:
    return [member for tenant in await _tenants(of, refs) for member in await _members_of(of, tenant)]


async def _members_of(of: Administration, tenant: Found) -> list[Found]:
    return [
        Found(
            f"{tenant.id}/{each.user.id}",
            f"{tenant.key}/{each.user.email or each.user.id}",
            MemberEntry(
                tenant_id=tenant.key,
                email=each.user.email or each.user.id,
                role=each.membership.role,
                limits=each.membership.limits,
                budgets=each.membership.budgets,
            ),
            closed="" if each.membership.managed_by == "hand" else "it follows the groups of an issuer",
        )
        async for each in every(lambda cursor: of.members.list_page(CONFIGURATION, tenant.id, MAX_LIMIT, cursor))
    ]


async def _create_member(of: Administration, actor: Actor, draft: Draft, refs: References) -> Made:
    entry = draft.of(MemberEntry)
    tenant_id, user_id = refs.id("tenants", entry.tenant_id), refs.id("users", entry.email)
    new = NewMember(user_id=user_id, role=entry.role, limits=entry.limits, budgets=entry.budgets)
    await of.members.add(actor, tenant_id, new)
    return Made(f"{tenant_id}/{user_id}")


async def _update_member(of: Administration, actor: Actor, member_id: str, draft: Draft, _: References) -> object:
    tenant_id, _slash, user_id = member_id.partition("/")
    return await of.members.update(actor, tenant_id, user_id, draft.change(MemberChange))


async def _delete_member(of: Administration, actor: Actor, found: Found) -> None:
    tenant_id, _, user_id = found.id.partition("/")
    await of.members.remove(actor, tenant_id, user_id)


def _refer_key(given: Given, refs: References) -> dict[str, object]:
    referred = dict(given)
    tenant = str(given.get("tenant_id") or DEFAULT_TENANT_ID)
    referred["tenant_id"] = refs.key("tenants", tenant, "tenant_id")
    if given.get("owner_id") is not None:
        referred["owner_id"] = refs.key("users", str(given["owner_id"]), "owner_id")
    return referred


async def _keys(of: Administration, refs: References) -> Sequence[Found]:
    """Oldest first. Of several with one name in one tenant each is called by its id, but for those that are revoked."""
    listed = [each async for each in every(lambda cursor: of.keys.list_page(CONFIGURATION, MAX_LIMIT, cursor))][::-1]
    entries = [(each, _key_entry(each, refs)) for each in listed]
    names = Counter(_key_of(entry) for key, entry in entries if key.revoked_at is None)
    found = []
    for key, entry in entries:
        name = _key_of(entry)
        if key.revoked_at is not None:
            found.append(Found(key.id, key.id if names[name] else name, entry, closed="it is revoked, for good"))
            continue
        unique = names[name] == 1 and key.name
        found.append(Found(key.id, name if unique else f"{entry.tenant_id}/{key.id}", entry, _is_secret_of(of, key)))
    return found


def _key_entry(key: VirtualKey, refs: References) -> NewVirtualKey:
    fields = {name: getattr(key, name) for name in NewVirtualKey.__struct_fields__}
    fields["tenant_id"] = refs.key("tenants", key.tenant_id, "tenant_id")
    if key.owner_id is not None:
        refs.learn("users", key.owner_id, key.owner_id)  # of a user who is gone
        fields["owner_id"] = refs.key("users", key.owner_id, "owner_id")
    return NewVirtualKey(**fields)


def _is_secret_of(of: Administration, key: VirtualKey) -> Callable[[Secret], bool]:
    return lambda secret: key.digest in of.hasher.digests(secret.reveal())


def _key_of(entry: msgspec.Struct) -> str:
    return f"{getattr(entry, 'tenant_id', '')}/{getattr(entry, 'name', '')}"


def _credential(of: Administration, draft: Draft) -> Credential | None:
    """Raises `RequestInvalid` for a secret that could be guessed."""
    if draft.secret is None:
        return draft.credential
    text = draft.secret.reveal()
    sound = well_formed(text, VIRTUAL_KEY_PREFIX) if text.startswith(VIRTUAL_KEY_PREFIX) else len(text) <= 256
    if not sound or len(text) < MIN_SECRET_LENGTH or not text.isascii() or not text.isprintable() or " " in text:
        raise RequestInvalid(
            f"the secret is no key: {MIN_SECRET_LENGTH} to 256 visible characters, and with '{VIRTUAL_KEY_PREFIX}' "
            "its checksum; 'omg secrets generate' prints one"
        )
    return Credential(of.hasher.digest(text), draft.secret.last4)


async def _create_key(of: Administration, actor: Actor, draft: Draft, refs: References) -> Made:
    entry = draft.of(NewVirtualKey)
    new = msgspec.structs.replace(
        entry,
        tenant_id=refs.id("tenants", str(entry.tenant_id)),
        owner_id=None if entry.owner_id is None else refs.id("users", entry.owner_id),
    )
    credential = _credential(of, draft)
    if credential is not None:
        return Made((await of.keys.create_known(actor, new, credential)).id)
    key, secret = await of.keys.create(actor, new)
    return Made(key.id, secret)


async def _update_key(of: Administration, actor: Actor, key_id: str, draft: Draft, _: References) -> None:
    fixed = [name for name in ("tenant_id", "owner_id") if name in draft.changed]
    if fixed:
        raise RequestInvalid(f"{' and '.join(fixed)} of a key never change: make another key")
    credential = _credential(of, draft) if draft.secret is not None else None
    if credential is not None:
        await of.keys.replace_secret(actor, key_id, credential)
    if draft.changed:
        await of.keys.update(actor, key_id, draft.change(VirtualKeyChange))


TENANCY = (
    Kind(
        section="tenants",
        object_kind="tenant",
        entry=NewTenant,
        key=lambda entry: str(getattr(entry, "name", "")),
        find=_tenants,
        create=_create_tenant,
        update=_update_tenant,
        delete=lambda of, actor, found: of.tenants.delete(actor, found.id),
    ),
    Kind(
        section="users",
        object_kind="user",
        entry=NewUser,
        key=lambda entry: str(getattr(entry, "email", "")),
        find=_users,
        create=_create_user,
        update=_update_user,
        delete=lambda of, actor, found: of.users.delete(actor, found.id),
        refer=_refer_user,
        secret="password",  # noqa: S106 - a field's name
    ),
    Kind(
        section="members",
        object_kind="member",
        entry=MemberEntry,
        key=lambda entry: f"{getattr(entry, 'tenant_id', '')}/{getattr(entry, 'email', '')}",
        find=_members,
        create=_create_member,
        update=_update_member,
        delete=_delete_member,
        refer=_refer_member,
    ),
    Kind(
        section="keys",
        object_kind="virtual_key",
        entry=NewVirtualKey,
        key=_key_of,
        find=_keys,
        create=_create_key,
        update=_update_key,
        delete=lambda of, actor, found: of.keys.delete(actor, found.id),
        refer=_refer_key,
        secret="secret",  # noqa: S106 - a field's name
    ),
)
"""Those that others refer to come first."""
