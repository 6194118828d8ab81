"""Objects in the settings file beside providers and routes, and `bootstrap:`, which is for an empty database."""

from collections.abc import Mapping
from typing import Final

from entrypoints.settings.documents import check_names
from entrypoints.settings.model import SettingsError

SECTIONS: Final = (
    "models",
    "model_groups",
    "settings",
    "tenants",
    "users",
    "members",
    "keys",
    "limits",
    "budgets",
    "alerts",
)
"""As in a document that `omg config apply` reads."""

_BOOTSTRAP: Final = ("tenants", "users", "members", "keys")


def objects_of(document: dict[str, object]) -> dict[str, object]:
    """Takes the sections out of the document. What they hold is understood at the start."""
    return {name: value for name in SECTIONS if (value := document.pop(name, None)) is not None}


def bootstrap_of(declared: object, file: str) -> dict[str, object]:
    """As a document, with the `memberships` of users as members. Raises `SettingsError`."""
    if declared is None:
        return {}
    if not isinstance(declared, Mapping):
        raise SettingsError(f"bootstrap ({file}): expected lists of tenants, users and keys")
    check_names({str(name): value for name, value in declared.items()}, _BOOTSTRAP, file, "bootstrap.")
    sections = {str(name): _entries(value, f"bootstrap.{name}", file) for name, value in declared.items()}
    members = sections.get("members", [])
    users = []
    for number, user in enumerate(sections.get("users", [])):
        memberships = _entries(user.get("memberships"), f"bootstrap.users[{number}].memberships", file)
        members = [*members, *({**membership, "email": user.get("email")} for membership in memberships)]
        users.append({name: value for name, value in user.items() if name != "memberships"})
    whole: dict[str, object] = {**sections, "users": users, "members": members}
    return {name: value for name, value in whole.items() if value}


def _entries(value: object, where: str, file: str) -> list[dict[str, object]]:
    entries = [] if value is None else value
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise SettingsError(f"{where} ({file}): expected a list of names and values")
    return [{str(name): given for name, given in entry.items()} for entry in entries]
