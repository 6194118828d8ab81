"""`routes:` of the settings file: a list with `alias`es, or a mapping from alias to the rest."""

import msgspec

from application.configuration.routes import NewRoute
from entrypoints.settings.documents import check_names
from entrypoints.settings.model import SettingsError


def routes_of(declared: object, file: str) -> tuple[NewRoute, ...]:
    """Raises `SettingsError` that names the field."""
    if declared is None:
        return ()
    if isinstance(declared, dict):
        declared = [
            {"alias": alias, **(rest or {})} if isinstance(rest or {}, dict) else rest
            for alias, rest in declared.items()
        ]
    if not isinstance(declared, list):
        raise SettingsError(f"routes ({file}): expected a list of routes")
    return tuple(_route(entry, f"routes[{place}]", file) for place, entry in enumerate(declared))


def _route(entry: object, path: str, file: str) -> NewRoute:
    if not isinstance(entry, dict):
        raise SettingsError(f"{path} ({file}): expected names and values, such as 'alias: fast'")
    check_names(entry, set(NewRoute.__struct_fields__), file, f"{path}.")
    try:
        return msgspec.convert(entry, NewRoute)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `$")
        raise SettingsError(f"{path}{where.rstrip('`')} ({file}): {message}") from None
