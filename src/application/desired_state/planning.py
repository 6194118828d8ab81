"""What would change: each object of a document held against the one of the same key in the store."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from application.admin.virtual_keys import Credential
from application.desired_state.document import OF_SETTINGS, Entry
from application.desired_state.objects import Draft, Found, Kind, References
from application.desired_state.secrets import Secrets
from domain.audit import SECRET_CHANGED
from domain.errors import RequestInvalid
from domain.secrets import Secret

Action = Literal["create", "update", "delete", "same", "extra", "problem"]

_CHANGES = frozenset({"create", "update", "delete"})


class Difference(msgspec.Struct, frozen=True):
    """A field with its value here and the document's; of a secret neither is shown."""

    field: str
    old: object
    new: object


class Step(msgspec.Struct, frozen=True):
    """What becomes of one object. `extra` is one that the document does not have, and that stays.

    `why` is what is wrong with it, or why it stays as it is.
    """

    action: Action
    section: str
    key: str
    differences: tuple[Difference, ...] = ()
    why: str = ""
    draft: Draft | None = None
    found: Found | None = None

    @property
    def changes(self) -> bool:
        """Whether anything would be written."""
        return self.action in _CHANGES


class Plan(msgspec.Struct, frozen=True):
    """All steps, in the order in which they would be taken: what others refer to first, deletions last."""

    steps: tuple[Step, ...]

    @property
    def changes(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.changes)

    @property
    def problems(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.action == "problem")


def planned(
    kind: Kind,
    entries: Iterable[Entry],
    found: Sequence[Found],
    refs: References,
    secrets: Secrets,
    goes: Callable[[str], bool],
) -> list[Step]:
    """The steps for all objects of one kind. `goes` says whether one of this key is deleted for want of an entry."""
    by_key = {each.key: each for each in reversed(found)}
    by_id = {name: each for each in found for name in (*each.aliases, each.id)}
    steps: list[Step] = []
    met: set[str] = set()
    for entry in entries:
        step = _step(kind, entry, by_key, by_id, refs, secrets)
        if step.found is None and step.action != "problem" and step.key in met:
            step = Step("problem", kind.section, step.key, why="the document has it twice")
        met.add(step.found.key if step.found else step.key)
        if step.draft is not None and step.found is None:
            refs.learn(kind.section, step.key, aliases=entry.names)
        steps.append(step)
    for each in found:
        if each.key not in met and not each.closed and not kind.section.startswith(OF_SETTINGS):
            if goes(each.key) and not each.kept:
                steps.append(Step("delete", kind.section, each.key, found=each))
            else:
                why = each.kept or "it is not in the document, and stays"
                steps.append(Step("extra", kind.section, each.key, why=why, found=each))
    return steps


def _step(
    kind: Kind,
    entry: Entry,
    by_key: Mapping[str, Found],
    by_id: Mapping[str, Found],
    refs: References,
    secrets: Secrets,
) -> Step:
    try:
        given = kind.refer(entry.fields, refs)
        known = by_id.get(entry.id or "") or by_id.get(str(given.get("external_id") or ""))
        if known is None:
            known = by_key.get(kind.key(_converted(kind, given)))
        before = msgspec.to_builtins(known.entry) if known is not None else {}
        new = kind.normal(_converted(kind, before | given))
        if known is not None:
            new = known.filled(new)
        key = kind.key(new)
        secret, credential = secrets.read(entry.secret, f"{entry.where}.{kind.secret}", digests=kind.section == "keys")
    except RequestInvalid as error:
        at = f" ({entry.where}.{error.param})" if error.param else ""
        return Step("problem", kind.section, entry.title, why=f"{error.message}{at}")
    if known is None:
        return Step(
            "create",
            kind.section,
            key,
            _all_of(kind.shown(new)),
            draft=Draft(key, new, secret=secret, credential=credential),
        )
    return _against(kind, known, new, tuple(given), secret, credential)


def _against(
    kind: Kind,
    known: Found,
    new: msgspec.Struct,
    given: Sequence[str],
    secret: Secret | None,
    credential: Credential | None,
) -> Step:
    """A digest that a document brings is for a new key alone: of one that is there nothing is known but our own."""
    changed = tuple(name for name in given if getattr(known.entry, name) != getattr(new, name))
    old, told = kind.shown(known.entry), kind.shown(new)
    differences = [Difference(name, _plain(getattr(old, name)), _plain(getattr(told, name))) for name in changed]
    fresh = secret if secret is not None and known.secret is not None and not known.secret(secret) else None
    if fresh is not None:
        shown = msgspec.json.decode(SECRET_CHANGED)
        differences.append(Difference(kind.secret or "secret", shown, shown))
    if not differences:
        return Step("same", kind.section, known.key, why=known.closed, found=known)
    if known.closed:
        return Step("problem", kind.section, known.key, tuple(differences), known.closed, found=known)
    draft = Draft(known.key, new, changed, fresh, credential)
    return Step("update", kind.section, known.key, tuple(differences), draft=draft, found=known)


def _converted(kind: Kind, fields: Mapping[str, object]) -> msgspec.Struct:
    """Raises `RequestInvalid` with the path of what is wrong."""
    try:
        return msgspec.convert(fields, kind.entry)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        raise RequestInvalid(f"{message[:1].lower()}{message[1:]}", param=path.strip("`.") or None) from error


def _all_of(entry: msgspec.Struct) -> tuple[Difference, ...]:
    """What is more than the default of a new object."""
    defaults = {field.name: field.default for field in msgspec.structs.fields(entry)}
    return tuple(
        Difference(name, None, _plain(value))
        for name in entry.__struct_fields__
        if (value := getattr(entry, name)) != defaults[name] and value not in (None, (), {})
    )


def _plain(value: object) -> object:
    return msgspec.to_builtins(value)
