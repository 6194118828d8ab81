"""Plans, applies and exports documents of the configuration, through the use cases that an admin has."""

from collections.abc import Mapping, Sequence
from functools import partial

import msgspec

from application.desired_state.document import OF_SETTINGS, SETTINGS, Document, entries_of, never, speaks_of
from application.desired_state.objects import Administration, Found, Kind, References
from application.desired_state.planning import Plan, Step, planned
from application.desired_state.secrets import followed
from application.desired_state.table import KINDS
from domain.actors import Actor
from domain.errors import GatewayError
from domain.ports.security import SecretReferences
from domain.secrets import Secret

SECTIONS = {kind.section: kind for kind in KINDS}
SECRET_FIELDS = {kind.section: kind.secret for kind in KINDS if kind.secret is not None}


class Outcome(msgspec.Struct, frozen=True):
    """What became of one step: `error` is empty where it was done. `secret` came with a new key, this once."""

    step: Step
    error: str = ""
    secret: Secret | None = None


class DesiredState:
    """A document says what should be. What it does not say of an object stays as it is, and counters are no part of it.

    `apply` writes each object by the use case of the admin API: with its checks, in a transaction of its own, with one
    entry in the audit trail.
    """

    def __init__(self, administration: Administration, references: SecretReferences) -> None:
        self._of = administration
        self._references = references

    async def plan(
        self,
        document: Document,
        *,
        prune: bool = False,
        known: Mapping[str, Secret] | None = None,
        of_file: bool = False,
    ) -> Plan:
        """What `apply` would do. Deletes only with `prune`. `known` are secrets by references that are not followed.

        What the settings file declares is changed there alone, `of_file`. Raises `RequestInvalid` for no document.
        """
        plan, _ = await self._plan(document, known or {}, prune=prune, of_file=of_file)
        return plan

    async def apply(
        self,
        actor: Actor,
        document: Document,
        *,
        prune: bool = False,
        known: Mapping[str, Secret] | None = None,
        of_file: bool = False,
    ) -> list[Outcome]:
        """Does what the plan says; one object that cannot be written does not keep the others.

        Raises `RequestInvalid` like `plan`.
        """
        plan, refs = await self._plan(document, known or {}, prune=prune, of_file=of_file)
        return [await self._taken(actor, step, refs) for step in plan.steps if step.changes]

    async def export(self) -> dict[str, object]:
        """All objects as a document, with every field, without secrets; by key, so that two exports can be compared."""
        refs = References()
        document: dict[str, object] = {}
        for kind in KINDS:
            found = [each for each in await self._found(kind, refs) if not each.closed]
            for each in found:
                refs.learn(kind.section, each.key, each.id, each.aliases)
            in_order = sorted(found, key=lambda each: each.key)
            document[kind.section] = [_exported(kind, each) for each in in_order]
        return _nested(document)

    async def _plan(
        self, document: Document, known: Mapping[str, Secret], *, prune: bool, of_file: bool
    ) -> tuple[Plan, References]:
        entries = entries_of(document, SECTIONS.keys(), SECRET_FIELDS)
        wanted = [entry.secret for of_kind in entries.values() for entry in of_kind if entry.secret is not None]
        secrets = await followed(self._references, wanted, known)
        refs = References()
        steps: list[Step] = []
        for kind in KINDS:
            found = await self._found(kind, refs, of_file=of_file)
            for each in found:
                refs.learn(kind.section, each.key, each.id, each.aliases)
            goes = partial(speaks_of, document, kind.section) if prune else never
            steps += planned(kind, entries[kind.section], found, refs, secrets, goes)
        first = [step for step in steps if step.action != "delete"]
        return Plan((*first, *(step for step in reversed(steps) if step.action == "delete"))), refs

    async def _found(self, kind: Kind, refs: References, *, of_file: bool = False) -> Sequence[Found]:
        owned = {} if of_file else self._of.state.owned_by_file
        found = await kind.find(self._of, refs)
        if not owned:
            return found
        files = [_file_of(kind, each.id, owned) for each in found]
        return [
            msgspec.structs.replace(each, closed=f"it is declared by {file}") if file is not None else each
            for each, file in zip(found, files, strict=True)
        ]

    async def _taken(self, actor: Actor, step: Step, refs: References) -> Outcome:
        kind = SECTIONS[step.section]
        try:
            if step.action == "delete" and step.found is not None:
                await kind.delete(self._of, actor, step.found)
            elif step.draft is not None and step.found is not None:
                await kind.update(self._of, actor, step.found.id, step.draft, refs)
            elif step.draft is not None:
                made = await kind.create(self._of, actor, step.draft, refs)
                refs.learn(kind.section, step.key, made.id)
                return Outcome(step, secret=made.secret)
        except GatewayError as error:
            at = f" ({error.param})" if error.param else ""
            return Outcome(step, f"{error.message}{at}")
        return Outcome(step)


def _file_of(kind: Kind, object_id: str, owned: Mapping[tuple[str, str], str]) -> str | None:
    return owned.get((kind.object_kind, object_id))


def _exported(kind: Kind, found: Found) -> dict[str, object]:
    fields: dict[str, object] = dict(msgspec.to_builtins(kind.shown(found.entry)))
    return fields if found.key == kind.key(found.entry) else {"id": found.id, **fields}


def _nested(document: dict[str, object]) -> dict[str, object]:
    """The keys of a provider in it, channels and rules under `alerts`, as they are written."""
    nested = {
        name: value for name, value in document.items() if name not in _INSIDE and not name.startswith(OF_SETTINGS)
    }
    keys, providers = document["provider_keys"], nested["providers"]
    if isinstance(keys, list) and isinstance(providers, list):
        for provider in providers:
            own = [key for key in keys if key["provider"] == provider["id"]]
            provider["keys"] = [{name: key[name] for name in key if name != "provider"} for key in own]
    nested[SETTINGS] = {
        name.removeprefix(OF_SETTINGS): values[0]
        for name, values in document.items()
        if name.startswith(OF_SETTINGS) and isinstance(values, list) and values
    }
    nested["alerts"] = {"channels": document["alert_channels"], "rules": document["alert_rules"]}
    return nested


_INSIDE = frozenset({"provider_keys", "alert_channels", "alert_rules"})
