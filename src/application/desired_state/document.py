"""A document's objects: mappings by section, as a person or an export writes them, made into plain entries."""

from collections.abc import Collection, Iterator, Mapping

import msgspec

from domain.errors import RequestInvalid

_ALSO_CALLED = {"tenant": "tenant_id", "owner": "owner_id", "user": "email"}

_INSIDE = frozenset({"provider_keys", "alert_channels", "alert_rules"})
"""Kinds that a document has inside of another section."""

SETTINGS = "settings"
OF_SETTINGS = f"{SETTINGS}."
"""Before the name of a setting: its section, once a document is taken apart."""


class Entry(msgspec.Struct, frozen=True):
    """One object of a document: its fields as written, without its id and its reference to a secret.

    `where` is its path, `title` what to call it before it is understood, `names` how others may refer to it.
    """

    where: str
    title: str
    fields: Mapping[str, object]
    id: str | None = None
    secret: str | None = None
    names: tuple[str, ...] = ()


Document = Mapping[str, object]


def entries_of(document: Document, known: Collection[str], secret_fields: Mapping[str, str]) -> dict[str, list[Entry]]:
    """The entries by section. Raises `RequestInvalid` for a section that is not known, or that is no list.

    The keys of a provider stand in it, and channels and rules of alerts under `alerts`: here each is a section.
    """
    flat: dict[str, list[tuple[str, object]]] = {name: [] for name in known}
    sections = {name for name in known if name not in _INSIDE and not name.startswith(OF_SETTINGS)}
    sections |= {"alerts", SETTINGS}
    if unknown := document.keys() - sections:
        raise RequestInvalid(f"there is no section '{min(unknown)}': there are {', '.join(sorted(sections))}")
    for section, where, entry in _flattened(document):
        if section not in flat:
            names = sorted(name.removeprefix(OF_SETTINGS) for name in known if name.startswith(OF_SETTINGS))
            raise RequestInvalid(f"there is no setting '{where}': there are {', '.join(names)}")
        flat[section].append((where, entry))
    return {
        section: [_entry(where, entry, secret_fields.get(section)) for where, entry in entries]
        for section, entries in flat.items()
    }


def never(_: str) -> bool:
    """Without `--prune` nothing is deleted."""
    return False


def speaks_of(document: Document, section: str, key: str) -> bool:
    """Whether a document lists all objects of this kind, so that one which it does not list is to go.

    Of a section that it does not have it says nothing, nor of the keys of a provider that it has without `keys`.
    """
    if section == "provider_keys":
        providers = [_mapping(each, "providers") for each in _listed(document.get("providers"), "providers")]
        return any(each.get("id") == key.partition("/")[0] and "keys" in each for each in providers)
    if section.startswith("alert_"):
        alerts = document.get("alerts")
        return isinstance(alerts, Mapping) and section.removeprefix("alert_") in alerts
    return section in document


def _flattened(document: Document) -> Iterator[tuple[str, str, object]]:
    for section, value in document.items():
        if section == "alerts":
            parts = _mapping({} if value is None else value, section)
            if unknown := parts.keys() - {"channels", "rules"}:
                raise RequestInvalid(f"alerts has 'channels' and 'rules', not '{min(unknown)}'")
            for part, entries in parts.items():
                for number, entry in enumerate(_listed(entries, f"alerts.{part}")):
                    yield f"alert_{part}", f"alerts.{part}[{number}]", entry
            continue
        if section == SETTINGS:
            for name, fields in _mapping({} if value is None else value, section).items():
                yield OF_SETTINGS + name.replace("_", "-"), OF_SETTINGS + name, fields
            continue
        for number, entry in enumerate(_listed(value, section)):
            where = f"{section}[{number}]"
            if section == "providers":
                fields = _mapping(entry, where)
                for place, key in enumerate(_listed(fields.pop("keys", None), f"{where}.keys")):
                    at = f"{where}.keys[{place}]"
                    yield "provider_keys", at, {"provider": fields.get("id"), **_mapping(key, at)}
                yield section, where, fields
            else:
                yield section, where, entry


def _entry(where: str, value: object, secret_field: str | None) -> Entry:
    fields: dict[str, object] = {}
    also = {} if where.startswith(OF_SETTINGS) else _ALSO_CALLED
    for name, given in _mapping(value, where).items():
        fields[also.get(name, name)] = given
    own_id = fields.pop("id", None) if not where.startswith("providers[") else None
    if ".keys[" in where:
        own_id = None
    secret = None if secret_field is None else fields.pop(secret_field, None)
    if secret is not None and not isinstance(secret, str):
        raise RequestInvalid(f"{where}.{secret_field} is a reference such as env:NAME")
    title = next((str(fields[name]) for name in ("name", "email", "label", "alias", "model") if fields.get(name)), "")
    names = [fields.get(name) for name in ("name", "email", "external_id")]
    return Entry(
        where,
        title or where,
        fields,
        None if own_id is None else str(own_id),
        secret,
        tuple(str(name) for name in (*names, own_id) if name),
    )


def _listed(value: object, where: str) -> list[object]:
    """A list, or a mapping from a provider's id to the rest, as the settings file may have it."""
    if value is None:
        return []
    if isinstance(value, Mapping) and where == "providers":
        return [{"id": name, **_mapping(rest or {}, f"{where}.{name}")} for name, rest in value.items()]
    if not isinstance(value, list | tuple):
        raise RequestInvalid(f"{where} is a list of objects")
    return list(value)


def _mapping(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, Mapping):
        raise RequestInvalid(f"{where} has names and values, such as 'name: Research'")
    return {str(name): given for name, given in value.items()}
