"""What a LiteLLM proxy is set up with, from its file and its database, put together."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from adapters.litellm.sealed import Opener
from adapters.litellm.values import Fields, Notes, listed, mapping, text

Rows = Sequence[Fields]

TABLES = (
    "VerificationToken",
    "DeprecatedVerificationToken",
    "TeamTable",
    "TeamMembership",
    "UserTable",
    "OrganizationTable",
    "OrganizationMembership",
    "ProjectTable",
    "BudgetTable",
    "TagTable",
    "EndUserTable",
    "AccessGroupTable",
    "ModelTable",
    "ProxyModelTable",
    "CredentialsTable",
    "Config",
    "JWTKeyMapping",
)
"""Those that are read, each `LiteLLM_…`. Prompts, spend logs and what is only counted are not."""


class Deployment(msgspec.Struct, frozen=True):
    """One entry of `model_list`, or one row of `ProxyModelTable`, with its credential's values in it, opened.

    `unreadable` are the parameters that the salt does not open.
    """

    name: str
    params: Fields
    info: Fields
    unreadable: tuple[str, ...] = ()


class Source(msgspec.Struct, frozen=True):
    """Deployments, how they are routed, variables that are set there, and rows by the names of their tables."""

    deployments: tuple[Deployment, ...]
    routing: Fields
    variables: Mapping[str, str]
    tables: Mapping[str, Rows]

    def rows(self, table: str) -> Rows:
        return self.tables.get(table, ())

    def budget(self, budget_id: object) -> Fields:
        """The row of this id; an empty one where there is none."""
        wanted = text(budget_id)
        return next((row for row in self.rows("BudgetTable") if wanted and row.get("budget_id") == wanted), {})


def source_of(config: Fields, tables: Mapping[str, Rows], opener: Opener, notes: Notes) -> Source:
    """Both together: what the database has of deployments comes after the file's, its routing goes over it.

    Raises `SealUnsupported`.
    """
    routing: dict[str, object] = {}
    stored = {text(row.get("param_name")): mapping(row.get("param_value")) for row in tables.get("Config", ())}
    for part in ("litellm_settings", "router_settings"):
        routing |= {name: value for name, value in mapping(config.get(part)).items() if value is not None}
        routing |= {name: value for name, value in stored.get(part, {}).items() if value is not None}
    deployments = (*_from_file(config, notes), *_from_rows(tables, opener, notes))
    sealed, _ = _opened(stored.get("environment_variables", {}), opener)
    variables = {**mapping(config.get("environment_variables")), **sealed}
    return Source(deployments, routing, {name: text(value) for name, value in variables.items() if text(value)}, tables)


def _from_file(config: Fields, notes: Notes) -> Iterator[Deployment]:
    credentials = {
        text(mapping(each).get("credential_name")): mapping(mapping(each).get("credential_values"))
        for each in listed(config.get("credential_list"))
    }
    for number, entry in enumerate(listed(config.get("model_list"))):
        fields = mapping(entry)
        params, name = mapping(fields.get("litellm_params")), text(fields.get("model_name"))
        if not name or not text(params.get("model")):
            notes.add(f"model_list[{number}]", "it has no model_name or no litellm_params.model")
            continue
        shared = credentials.get(text(params.get("litellm_credential_name")), {})
        yield Deployment(name, {**shared, **params}, mapping(fields.get("model_info")))


def _from_rows(tables: Mapping[str, Rows], opener: Opener, notes: Notes) -> Iterator[Deployment]:
    credentials = {
        text(row.get("credential_name")): _opened(mapping(row.get("credential_values")), opener)
        for row in tables.get("CredentialsTable", ())
    }
    for row in tables.get("ProxyModelTable", ()):
        name = text(row.get("model_name"))
        params, unreadable = _opened(mapping(row.get("litellm_params")), opener)
        if row.get("blocked"):
            notes.add(f"model {name}", "it is blocked there")
            continue
        if not text(params.get("model")):
            notes.add(f"model {name}", "its parameters cannot be read: LITELLM_SALT_KEY is missing or another one")
            continue
        shared, closed = credentials.get(text(params.get("litellm_credential_name")), ({}, ()))
        info = mapping(row.get("model_info"))
        yield Deployment(name, {**shared, **params}, info, (*unreadable, *closed))


def _opened(params: Fields, opener: Opener) -> tuple[dict[str, object], tuple[str, ...]]:
    found: dict[str, object] = {}
    closed: list[str] = []
    for name, value in params.items():
        opened = opener.open(value) if isinstance(value, str) else value
        if opened is None:
            closed.append(name)
        else:
            found[name] = opened
    return found, tuple(closed)
