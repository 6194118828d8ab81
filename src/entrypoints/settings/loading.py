"""Puts the settings together: defaults < `omg.yaml` < `.env` < environment < command line, keeping each source."""

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args, get_origin

import msgspec

from application.configuration.credentials import is_placeholder, unquoted
from application.configuration.new_providers import DeclaredKey, DeclaredProvider, KeptKey
from domain.ports.security import SecretMissing
from domain.providers import FollowedSettings, ProviderSettings
from domain.secrets import Secret
from domain.timeouts import Timeouts
from entrypoints.settings.checks import check
from entrypoints.settings.declared_issuers import issuers_of
from entrypoints.settings.declared_objects import SECTIONS, bootstrap_of, objects_of
from entrypoints.settings.declared_routes import routes_of
from entrypoints.settings.documents import check_names, nearest, read_dotenv, read_yaml
from entrypoints.settings.model import PREFIX, Settings, SettingsError, Variables
from entrypoints.settings.secret_references import LocalSecretReferences, vault_references, with_vault

DEFAULT_FILE = "omg.yaml"
ENVIRONMENT, DOTENV, COMMAND_LINE, DEFAULT = "environment", ".env", "command line", "default"

_TIMEOUT = "timeout_"
_FILE = "_FILE"
_NOT_SETTINGS = frozenset(
    {"timeouts", "providers", "routes", "issuers", "objects", "bootstrap", "variables", "sources", "ignored"}
)
_CLIENT_VARIABLES = frozenset({"OMG_URL"})  # read by the commands that call a running gateway

_KUBERNETES_NAME = re.compile(
    r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
_KUBERNETES_ADDRESS = re.compile(r"(tcp|udp|sctp)://.*:\d+", re.IGNORECASE)
"""What Kubernetes tells every pod of each service: for one named `omg` that is `OMG_PORT=tcp://10.0.0.1:8000`."""

_WORDS = {bool: "must be true or false", int: "must be a whole number", float: "must be a number of seconds"}
_COMPARISONS = {" >= ": " at least ", " <= ": " at most ", " > ": " more than "}

Found = dict[str, tuple[object, str]]
"""Setting name → (raw value, source)."""

AskVault = Callable[[Settings, Collection[str]], Mapping[str, Secret]]
"""What references to Vault lead to, with the settings as they are without. Raises `SecretMissing`."""


def no_vault(_: Settings, references: Collection[str]) -> Mapping[str, Secret]:
    """For whoever only reads settings."""
    raise SecretMissing(f"'{min(references)}' is not followed here")


@cache
def field_types() -> Mapping[str, Any]:
    """Every setting by name, timeouts as `timeout_connect` and so on, with its type."""
    fields = {f.name: f.type for f in msgspec.structs.fields(Settings) if f.name not in _NOT_SETTINGS}
    return MappingProxyType(fields | {_TIMEOUT + f.name: f.type for f in msgspec.structs.fields(Timeouts)})


def load_settings(
    overrides: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    ask_vault: AskVault = no_vault,
) -> Settings:
    """Read and check the settings in force.

    `overrides` are from the command line (None values are skipped); `environ` is the process's, and `folder`
    the working folder, where nothing else is given. Vault is asked once all else is known. Raises `SettingsError`.
    """
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    process = os.environ if environ is None else environ
    dotenv = read_dotenv((folder or Path()) / ".env")
    variables = {name: (value, DOTENV) for name, value in dotenv.items()}
    variables |= {name: (value, ENVIRONMENT) for name, value in process.items()}

    found = _from_variables(variables) | {name: (value, COMMAND_LINE) for name, value in given.items()}
    file, document = _document(found, folder or Path())
    providers = _declared_providers(document.pop("providers", None), Variables(variables), file)
    routes = routes_of(document.pop("routes", None), file)
    issuers = issuers_of(document, Variables(variables), file)
    objects, bootstrap = objects_of(document), bootstrap_of(document.pop("bootstrap", None), file)
    found = {name: (value, file) for name, value in _from_document(document, file)} | found

    settings = _build(found, providers, Variables(variables))
    settings = msgspec.structs.replace(
        settings,
        routes=routes,
        issuers=issuers,
        objects=objects,
        bootstrap=bootstrap,
        ignored=tuple(_ignored(variables)),
    )
    settings = _with_vault(settings, ask_vault)
    check(settings)
    return settings


def unknown_variables(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Variables that look like settings and are none, with a hint: worth a warning, not an error."""
    known = {PREFIX + name.upper() for name in field_types()} | _CLIENT_VARIABLES
    known |= {f"{PREFIX}{name.upper()}{_FILE}" for name in _secret_settings()}
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known and not _KUBERNETES_NAME.fullmatch(name):
            yield name, nearest(name, known)


def _from_variables(variables: Mapping[str, tuple[str, str]]) -> Found:
    found: Found = {}
    for name in field_types():
        value, source = variables.get(PREFIX + name.upper(), ("", ""))
        if not value.isprintable() and any("\ud800" <= character <= "\udfff" for character in value):
            raise SettingsError(f"{PREFIX}{name.upper()} ({source}): is not valid UTF-8")
        if (text := unquoted(value)) and not _KUBERNETES_ADDRESS.fullmatch(text):
            found[name] = (text, source)
        if name in _secret_settings() and (file := _named_file(name, variables)) is not None:
            if name in found:
                raise SettingsError(
                    f"{PREFIX}{name.upper()}: is given twice, by itself and by {PREFIX}{name.upper()}_FILE"
                )
            found[name] = file
    return found


@cache
def _secret_settings() -> frozenset[str]:
    """Those that may be named as a file, `OMG_…_FILE`, as images of databases have it."""
    return frozenset(name for name, type_ in field_types().items() if (get_args(type_) or (type_,))[0] is Secret)


def _named_file(name: str, variables: Mapping[str, tuple[str, str]]) -> tuple[str, str] | None:
    path, source = variables.get(f"{PREFIX}{name.upper()}{_FILE}", ("", ""))
    path = unquoted(path).strip()
    return (path if path.startswith("file:") else f"file:{path}", source) if path else None


def _ignored(variables: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    """What looks like a setting's value and is Kubernetes' description of a service of the same name."""
    for name in sorted(field_types()):
        variable = PREFIX + name.upper()
        if _KUBERNETES_ADDRESS.fullmatch(unquoted(variables.get(variable, ("", ""))[0])):
            yield (
                f"{variable} is ignored: it describes a Kubernetes service of that name and is no setting; "
                "'enableServiceLinks: false' in the pod leaves it out"
            )


def _document(found: Found, folder: Path) -> tuple[str, dict[str, object]]:
    """The settings file's name and content; empty where none was named and none lies in the folder."""
    named = found.get("config")
    path = folder / str(named[0]) if named else folder / DEFAULT_FILE
    try:
        is_there = path.is_file()
    except OSError as error:
        raise SettingsError(f"OMG_CONFIG: the settings file cannot be looked for: {error.strerror}") from None
    if not is_there:
        if named:
            raise SettingsError(f"OMG_CONFIG ({named[1]}): there is no file {path}")
        return DEFAULT_FILE, {}
    return path.name, read_yaml(path)


def _from_document(document: dict[str, object], file: str) -> Iterator[tuple[str, object]]:
    timeouts = document.pop("timeouts", None) or {}
    names = [name for name in field_types() if not name.startswith(_TIMEOUT) and name != "config"]
    check_names(document, {*names, "timeouts", "providers", "routes", "bootstrap", *SECTIONS}, file, "")
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
            if isinstance(secret := values[name], Secret):
                where = f"{PREFIX}{name.upper()} ({sources[name]})"
                values[name] = _followed(secret, where, variables)
    seconds = {name.removeprefix(_TIMEOUT): values.pop(name) for name in list(values) if name.startswith(_TIMEOUT)}
    return Settings(**values, timeouts=Timeouts(**seconds), providers=providers, variables=variables, sources=sources)


def _with_vault(settings: Settings, ask: AskVault) -> Settings:
    """With what the references to Vault lead to. Its own proxy cannot be there, so it is asked without such a one."""
    given = {name: getattr(settings, name).reveal() for name in sorted(_secret_settings())}
    places = [(f"{PREFIX}{name.upper()} ({settings.sources[name]})", text) for name, text in given.items()]
    for at, one in enumerate(settings.providers):
        where = f"providers[{at}].settings"
        places.append((f"{where}.proxy ({settings.file_name})", one.settings.proxy or ""))
        places += [(f"{where}.headers.{name} ({settings.file_name})", v) for name, v in one.settings.headers.items()]
    found: dict[str, Secret] = {}
    bare = msgspec.structs.replace(settings, proxy=Secret("")) if vault_references(given["proxy"]) else settings
    for where, text in places:
        if references := vault_references(text):
            try:
                found |= ask(bare, references)
            except SecretMissing as error:
                raise SettingsError(f"{where}: {error}") from None
    if not found:
        return settings
    providers = tuple(
        msgspec.structs.replace(one, settings=_out_of_vault(one.settings, found)) for one in settings.providers
    )
    secrets = {name: with_vault(text, found) for name, text in given.items()}
    return msgspec.structs.replace(settings, **secrets, providers=providers)


def _out_of_vault(settings: ProviderSettings, found: Mapping[str, Secret]) -> ProviderSettings:
    if settings.proxy is not None:
        settings = msgspec.structs.replace(settings, proxy=with_vault(settings.proxy, found).reveal())
    given = settings.headers
    headers = {name: with_vault(text, found, of_address=False).reveal() for name, text in given.items()}
    hidden = frozenset(name for name, value in headers.items() if value != given[name])
    return _followed_headers(settings, headers, hidden)


def _followed_headers(settings: ProviderSettings, headers: dict[str, str], hidden: frozenset[str]) -> ProviderSettings:
    """With these headers, of which the `hidden` stood somewhere else, and those of before: they are shown to nobody."""
    if isinstance(settings, FollowedSettings):
        hidden |= settings.hidden
    return FollowedSettings.of(settings, headers, hidden) if hidden else settings


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
        try:
            return Path(value).expanduser()
        except RuntimeError as error:
            raise ValueError("a folder; that person's home is not known") from error
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
    if provider.settings.proxy is not None:
        proxy = _followed(Secret(provider.settings.proxy), f"{path}.settings.proxy ({file})", variables)
        own = msgspec.structs.replace(provider.settings, proxy=proxy.reveal())
        provider = msgspec.structs.replace(provider, settings=own)
    if provider.settings.headers:
        followed = _with_headers(provider.settings, f"{path}.settings.headers", variables, file)
        provider = msgspec.structs.replace(provider, settings=followed)
    keys = tuple(_resolved(key, f"{path}.keys[{i}]", variables, file) for i, key in enumerate(provider.keys))
    return msgspec.structs.replace(provider, keys=keys)


def _with_headers(settings: ProviderSettings, path: str, variables: Variables, file: str) -> ProviderSettings:
    """With what their references lead to, which is then shown to nobody."""
    headers = {
        name: _followed(Secret(value), f"{path}.{name} ({file})", variables, of_address=False).reveal()
        for name, value in settings.headers.items()
    }
    hidden = frozenset(name for name, value in headers.items() if value != settings.headers[name])
    return _followed_headers(settings, headers, hidden)


def _settings_fields() -> tuple[str, ...]:
    return ProviderSettings.__struct_fields__


def _resolved(key: DeclaredKey, path: str, variables: Variables, file: str) -> DeclaredKey:
    """The key with `env:NAME` or `file:PATH` replaced by what is there; `vault:` is followed at the start."""
    where = f"{path}.secret ({file})"
    text = key.secret.reveal()
    if text.startswith("env:") and is_placeholder(variables.get(text.removeprefix("env:").strip(), "")):
        raise SettingsError(f"{where}: the variable {text.removeprefix('env:').strip()} holds a placeholder, not a key")
    secret = _followed(key.secret, where, variables)
    if text.startswith("file:"):  # which may be renewed there
        return KeptKey(secret=secret, label=key.label, weight=key.weight, quota=key.quota, kept_at=text)
    return msgspec.structs.replace(key, secret=secret)


def _followed(secret: Secret, where: str, variables: Variables, *, of_address: bool = True) -> Secret:
    try:
        return LocalSecretReferences(variables).within(secret.reveal(), of_address=of_address)
    except SecretMissing as error:
        raise SettingsError(f"{where}: {error}") from None
