"""A LiteLLM proxy as a document of this gateway's configuration, with notes of all that is not the same."""

from collections.abc import Collection, Mapping

import msgspec

from adapters.litellm.allowances import Allowances
from adapters.litellm.keys import Keys
from adapters.litellm.people import People
from adapters.litellm.routes import Routes
from adapters.litellm.sealed import Opener
from adapters.litellm.source import Rows, Source, source_of
from adapters.litellm.upstreams import Upstreams
from adapters.litellm.values import Fields, Note, Notes, number, text


class Installation(msgspec.Struct, frozen=True):
    """Where it is carried to: the variables of its environment, the providers that it declares, its endpoints."""

    variables: Mapping[str, str]
    declared: Collection[str] = ()
    endpoints: frozenset[str] = frozenset()


class Carried(msgspec.Struct, frozen=True):
    """The document, the secrets that it refers to beside variables (by reference), and the notes."""

    document: dict[str, list[dict[str, object]]]
    secrets: Mapping[str, str]
    notes: tuple[Note, ...]


def carried(
    config: Fields, tables: Mapping[str, Rows], salt: str, here: Installation, *, approximate: bool = False
) -> Carried:
    """Raises `SealUnsupported`. The same input gives the same document."""
    notes = Notes()
    source = source_of(config, tables, Opener(salt), notes)
    upstreams = Upstreams(here.variables, source.variables, here.declared, notes)
    deployed = [(each, upstream) for each in source.deployments if (upstream := upstreams.add(each)) is not None]
    routes = Routes(source, deployed, notes)
    allowances = Allowances(source, upstreams, routes, notes, approximate=approximate)
    people = People(source, allowances, routes, notes)
    keys = Keys(source, people, allowances, routes, here.endpoints, notes)
    budgets = _budgets_of_tags(source, allowances, notes)
    _note_end_users(source, notes)
    _note_what_was_counted(source, notes)
    document: dict[str, list[dict[str, object]]] = {
        **upstreams.sections(),
        "model_groups": [{"name": name, "patterns": patterns} for name, patterns in allowances.groups.items()],
        "routes": list(routes.routes.values()),
        "tenants": list(people.tenants.values()),
        "users": list(people.users.values()),
        "members": list(people.members.values()),
        "keys": keys.keys,
        "budgets": budgets,
    }
    return Carried({name: entries for name, entries in document.items() if entries}, upstreams.secrets, notes.all())


def _budgets_of_tags(source: Source, allowances: Allowances, notes: Notes) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for row in source.rows("TagTable"):
        name = text(row.get("tag_name"))
        budgets = allowances.budgets({"budget_id": row.get("budget_id")}, f"tag {name}")
        found += [{"subject": {"kind": "tag", "id": name}, **budget} for budget in budgets]
        if row.get("models"):
            notes.add(f"models of tag {name}", "a tag has no models here")
    return found


def _note_end_users(source: Source, notes: Notes) -> None:
    rows = source.rows("EndUserTable")
    blocked = [text(row.get("user_id")) for row in rows if row.get("blocked")]
    if blocked:
        notes.add(
            f"blocked customers: {', '.join(blocked[:20])}",
            "nobody is kept out here by the name of an end user: see to it first",
        )
    if rows:
        notes.add(
            f"{len(rows)} customers (end users)",
            "their budgets, limits and default models are not carried: there are none here",
        )


def _note_what_was_counted(source: Source, notes: Notes) -> None:
    spent = sum(1 for table in ("VerificationToken", "TeamTable", "UserTable", "OrganizationTable", "TagTable")
                for row in source.rows(table) if (number(row.get("spend")) or 0) > 0)  # fmt: skip
    if spent:
        notes.add(
            f"what {spent} keys, teams, users and tags have spent",
            "every budget begins at 0 here; usage and spend logs stay there",
        )
