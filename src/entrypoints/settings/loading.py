"""Puts the settings together: defaults < `omg.yaml` < `.env` < environment < command line, keeping each source."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec

from domain.secrets import Secret
from domain.timeouts import Timeouts
from entrypoints.settings.checks import check
from entrypoints.settings.documents import check_names, nearest, read_dotenv, read_yaml
from entrypoints.settings.model import PREFIX, DeclaredKey, DeclaredProvider, Settings, SettingsError, Variables

DEFAULT_FILE = "omg.yaml"
ENVIRONMENT, DOTENV, COMMAND_LINE, DEFAULT = "environment", ".env", "command line", "default"

_TIMEOUT = "timeout_"
_NOT_SETTINGS = frozenset({"timeouts", "providers", "variables", "sources"})
_CLIENT_VARIABLES = frozenset({"OMG_URL"})  # read by the commands that call a running gateway

_WORDS = {bool: "must be true or false", int: "must be a whole number", float: "must be a number of seconds"}
_COMPARISONS = {" >= ": " at least ", " <= ": " at most ", " > ": " more than "}

Found = dict[str, tuple[object, str]]
"""Setting name → (raw value, source)."""


def field_types() -> dict[str, Any]:
    """Every setting by name, timeouts as `timeout_connect` and so on, with its type."""
    fields = {f.name: f.type for f in msgspec.structs.fields(Settings) if f.name not in _NOT_SETTINGS}
    return fields | {_TIMEOUT + f.name: f.type for f in msgspec.structs.fields(Timeouts)}


def load_settings(
    overrides: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Settings:
    """Read and check the settings in force.

    `overrides` are from the command line (None values are skipped); `environ` is the process's, and `folder`
    the working folder, where nothing else is given. Raises `SettingsError`.
    """
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    process = os.environ if environ is None else environ
    dotenv = read_dotenv((folder or Path()) / ".env")
    variables = {name: (value, DOTENV) for name, value in dotenv.items()}
    variables |= {name: (value, ENVIRONMENT) for name, value in process.items()}

    found = _from_variables(variables) | {name: (value, COMMAND_LINE) for name, value in given.items()}
    file, document = _document(found, folder or Path())
    providers = _declared_providers(document.pop("providers", None), Variables(variables), file)
    found = {name: (value, file) for name, value in _from_document(document, file)} | found

    settings = _build(found, providers, Variables(variables))
    check(settings)
    return settings


def unknown_variables(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Variables that look like settings and are none, with a hint: worth a warning, not an error."""
    known = {PREFIX + name.upper() for name in field_types()} | _CLIENT_VARIABLES
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            yield name, nearest(name, known)


def _from_variables(variables: Mapping[str, tuple[str, str]]) -> Found:
    found: Found = {}
    for name in field_types():
        value, source = variables.get(PREFIX + name.upper(), ("", ""))
        if value.strip():
            found[name] = (value.strip(), source)
    return found


def _document(found: Found, folder: Path) -> tuple[str, dict[str, object]]:
    """The settings file's name and content; empty where none was named and none lies in the folder."""
    named = found.get("config")
    path = folder / str(named[0]) if named else folder / DEFAULT_FILE
    if not path.is_file():
        if named:
            raise SettingsError(f"OMG_CONFIG ({named[1]}): there is no file {path}")
        return DEFAULT_FILE, {}
    return path.name, read_yaml(path)


def _from_document(document: dict[str, object], file: str) -> Iterator[tuple[str, object]]:
    timeouts = document.pop("timeouts", None) or {}
    names = [name for name in field_types() if not name.startswith(_TIMEOUT) and name != "config"]
    check_names(document, {*names, "timeouts", "providers"}, file, "")
    yield from ((name, value) for name, value in document.items() if value is not None)
    if not isinstance(timeouts, dict):
        raise SettingsError(f"timeouts ({file}): expected names and seconds, such as 'connect: 5'")
    check_names(timeouts, set(Timeouts.__struct_fields__), file, "timeouts.")
    yield from ((_TIMEOUT + str(name), value) for name, value in timeouts.items() if value is not None)


def _build(found: Found, providers: tuple[DeclaredProvider, ...], variables: Variables) -> Settings:
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for name, type_ in field_types().items():
        sources[name] = DEFAULT
        if name in found:
            raw, sources[name] = found[name]
            values[name] = _convert(name, raw, type_, sources[name])
    seconds = {name.removeprefix(_TIMEOUT): values.pop(name) for name in list(values) if name.startswith(_TIMEOUT)}
    return Settings(**values, timeouts=Timeouts(**seconds), providers=providers, variables=variables, sources=sources)


def _convert(name: str, raw: object, type_: Any, source: str) -> object:
    plain = get_args(type_)[0] if hasattr(type_, "__metadata__") else type_
    if get_origin(plain) is tuple and isinstance(raw, str):
        raw = [part.strip() for part in raw.split(",") if part.strip()]
    if plain is not Secret and isinstance(raw, str) and str not in get_args(plain) and plain is not str:
        raw = raw.lower() if not _is_path(plain) else raw
    try:
        return msgspec.convert(raw, type_, strict=False, dec_hook=_custom)
    except msgspec.ValidationError as error:
        shown = "" if plain is Secret else f", not {raw!r}"
        raise SettingsError(f"{PREFIX}{name.upper()} ({source}): {_expectation(plain, error)}{shown}") from None


def _expectation(plain: Any, error: msgspec.ValidationError) -> str:
    choices = get_args(plain)
    if choices and all(isinstance(choice, str) for choice in choices):
        return f"must be one of {', '.join(choices)}"
    for type_, words in _WORDS.items():
        if plain is type_ and "=" not in str(error):
            return words
    text = str(error).split(" - at ")[0].replace("`", "").split(", got")[0]
    for symbol, words in _COMPARISONS.items():
        text = text.replace(symbol, words)
    return "must be " + text.removeprefix("Expected ").removeprefix("int ").removeprefix("float ")


def _is_path(plain: Any) -> bool:
    return plain is Path or Path in get_args(plain)


def _custom(type_: type, value: object) -> object:
    if type_ is Secret:
        return Secret(str(value))
    if type_ is Path and isinstance(value, str | Path):
        return Path(value).expanduser()
    raise NotImplementedError(type_)


def _declared_providers(declared: object, variables: Variables, file: str) -> tuple[DeclaredProvider, ...]:
    """`providers:` of the file: a list with `id`s, or a mapping from id to the rest."""
    if declared is None:
        return ()
    if isinstance(declared, dict):
        declared = [
            {"id": key, **(value or {})} if isinstance(value or {}, dict) else value for key, value in declared.items()
        ]
    if not isinstance(declared, list):
        raise SettingsError(f"providers ({file}): expected a list of providers")
    providers = tuple(_declared(entry, f"providers[{i}]", variables, file) for i, entry in enumerate(declared))
    ids = [provider.id for provider in providers]
    for provider_id in ids:
        if ids.count(provider_id) > 1:
            raise SettingsError(f"providers ({file}): '{provider_id}' is declared twice")
    return providers


def _declared(entry: object, path: str, variables: Variables, file: str) -> DeclaredProvider:
    if not isinstance(entry, dict):
        raise SettingsError(f"{path} ({file}): expected names and values, such as 'id: my-server'")
    check_names(entry, set(DeclaredProvider.__struct_fields__), file, f"{path}.")
    settings = entry.get("settings")
    if isinstance(settings, dict):
        check_names(settings, set(_settings_fields()), file, f"{path}.settings.")
    try:
        provider = msgspec.convert(entry, DeclaredProvider, dec_hook=_custom)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `$")
        raise SettingsError(f"{path}{where.rstrip('`')} ({file}): {message}") from None
    keys = tuple(_resolved(key, f"{path}.keys[{i}]", variables, file) for i, key in enumerate(provider.keys))
    return msgspec.structs.replace(provider, keys=keys)


def _settings_fields() -> tuple[str, ...]:
    return DeclaredProvider(id="").settings.__struct_fields__


def _resolved(key: DeclaredKey, path: str, variables: Variables, file: str) -> DeclaredKey:
    """The key with `env:NAME` replaced by that variable's value."""
    text = key.secret.reveal()
    if not text.startswith("env:"):
        return key
    name = text.removeprefix("env:").strip()
    value = variables.get(name)
    if value is None:
        raise SettingsError(f"{path}.secret ({file}): the variable {name} is not set")
    return msgspec.structs.replace(key, secret=Secret(value))
