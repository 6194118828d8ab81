"""What a document and the store have in common: objects by kind, the keys that name them, and who refers to whom."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

from application.admin.alerts import AlertAdmin
from application.admin.config_write import ObjectKind
from application.admin.default_models import DefaultModelsAdmin
from application.admin.default_rules import DefaultRulesAdmin
from application.admin.members import MemberAdmin
from application.admin.model_groups import ModelGroupAdmin
from application.admin.prices import PriceAdmin
from application.admin.provider_keys import ProviderKeyAdmin
from application.admin.providers import ProviderAdmin
from application.admin.routes import RouteAdmin
from application.admin.routing_settings import RoutingSettingsAdmin
from application.admin.subject_rules import RuleAdmin
from application.admin.tenants import TenantAdmin
from application.admin.users import UserAdmin
from application.admin.virtual_keys import Credential, VirtualKeyAdmin
from application.sign_in.accounts import Accounts
from application.snapshot import GatewayState
from domain.actors import Actor
from domain.errors import RequestInvalid
from domain.ports.repositories import Store
from domain.ports.security import KeyHasher
from domain.secrets import Secret

E = TypeVar("E", bound=msgspec.Struct)


class Administration(msgspec.Struct, frozen=True):
    """The use cases through which objects are read and written: their checks hold here too, and their audit."""

    store: Store
    state: GatewayState
    hasher: KeyHasher
    tenants: TenantAdmin
    users: UserAdmin
    accounts: Accounts
    members: MemberAdmin
    keys: VirtualKeyAdmin
    providers: ProviderAdmin
    provider_keys: ProviderKeyAdmin
    prices: PriceAdmin
    groups: ModelGroupAdmin
    routes: RouteAdmin
    rules: RuleAdmin
    alerts: AlertAdmin
    default_rules: DefaultRulesAdmin
    default_models: DefaultModelsAdmin
    routing_settings: RoutingSettingsAdmin


def as_read(entry: msgspec.Struct) -> msgspec.Struct:
    """For kinds of which each thing is written in one way alone, and nothing is hidden."""
    return entry


class Found(msgspec.Struct, frozen=True):
    """An object of the store, as a document would write it, with the keys of others in place of their ids.

    `secret` tells whether one given is the present one; None where the object has none. `closed` says why the object
    is not to be changed, such as a key that is revoked, `kept` why it is never deleted for want of a place in a
    document. `aliases` are further names that others may use for it. `filled` puts what is hidden of it into an entry
    that was written as it is shown.
    """

    id: str
    key: str
    entry: msgspec.Struct
    secret: Callable[[Secret], bool] | None = None
    closed: str = ""
    kept: str = ""
    aliases: tuple[str, ...] = ()
    filled: Callable[[msgspec.Struct], msgspec.Struct] = as_read


class Draft(msgspec.Struct, frozen=True):
    """An object as it is to be: `entry` whole, `changed` the names of what differs from before.

    `secret` is one that the document refers to, `credential` a digest that it brings.
    """

    key: str
    entry: msgspec.Struct
    changed: tuple[str, ...] = ()
    secret: Secret | None = None
    credential: Credential | None = None

    def of(self, type_: type[E]) -> E:
        """The entry, as the kind's own type."""
        if not isinstance(self.entry, type_):
            raise TypeError(f"{type(self.entry).__name__} is no {type_.__name__}")
        return self.entry

    def change(self, type_: type[E]) -> E:
        """What differs, as the use case takes it."""
        return msgspec.convert({name: getattr(self.entry, name) for name in self.changed}, type_, from_attributes=True)


class Made(msgspec.Struct, frozen=True):
    """The id of what was made, and a secret that came with it, this once."""

    id: str
    secret: Secret | None = None


class References:
    """The objects that others may name, by kind: under their keys, their ids and their further names."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str], str] = {}
        self._ids: dict[tuple[str, str], str] = {}

    def learn(self, section: str, key: str, object_id: str | None = None, aliases: Sequence[str] = ()) -> None:
        """An object that is there, or without an id one that is to be made."""
        self._keys.setdefault((section, key), key)
        for name in (*aliases, *([object_id] if object_id else [])):
            self._keys.setdefault((section, name), key)
        if object_id is not None:
            self._ids[section, key] = object_id

    def key(self, section: str, name: str, field: str) -> str:
        """The key of what is named by key, id or otherwise, addresses in any case. Raises `RequestInvalid`."""
        known = self._keys.get((section, name)) or self._keys.get((section, name.lower()))
        if known is None:
            raise RequestInvalid(f"there is none '{name}' among the {section}, here or in the document", param=field)
        return known

    def id(self, section: str, key: str) -> str:
        """Raises `RequestInvalid` where it could not be made."""
        known = self._ids.get((section, key))
        if known is None:
            raise RequestInvalid(f"'{key}' of the {section} is not there")
        return known


Given = Mapping[str, object]


def as_written(given: Given, _: References) -> dict[str, object]:
    """For kinds whose fields refer to nothing."""
    return dict(given)


class Kind(msgspec.Struct, frozen=True):
    """One kind of object: a row of `table.KINDS`.

    `object_kind` is its name in the audit, `entry` the fields that one may write, `key` what names an object by them.
    `refer` puts the keys of other objects in place of what a document calls them, `normal` writes alike what means the
    same, `shown` leaves out what nobody is told. `secret` is the field in which a document may refer to one. `also` are
    further names under which the admin API changes parts of it: what a file declares is the file's under all of them.
    """

    section: str
    object_kind: ObjectKind
    entry: type[msgspec.Struct]
    key: Callable[[msgspec.Struct], str]
    find: Callable[[Administration, References], Awaitable[Sequence[Found]]]
    create: Callable[[Administration, Actor, Draft, References], Awaitable[Made]]
    update: Callable[[Administration, Actor, str, Draft, References], Awaitable[object]]
    delete: Callable[[Administration, Actor, Found], Awaitable[object]]
    refer: Callable[[Given, References], dict[str, object]] = as_written
    normal: Callable[[msgspec.Struct], msgspec.Struct] = as_read
    shown: Callable[[msgspec.Struct], msgspec.Struct] = as_read
    secret: str | None = None
    also: tuple[ObjectKind, ...] = ()
