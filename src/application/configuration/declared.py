"""Providers and keys that the environment and the settings file declare: what no one edits by API."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from application.configuration.credentials import credentials, numbered
from application.configuration.new_providers import (
    DeclaredKey,
    DeclaredProvider,
    KeptKey,
    NewProvider,
    check_provider,
    checked_secret,
    filled,
)
from application.snapshot import DeclaredConfig
from domain.errors import RequestInvalid
from domain.keys import ProviderKey
from domain.ports.providers import ProviderRegistry
from domain.ports.security import SecretMissing, SecretReferences
from domain.providers import Owner, Provider, ProviderPreset
from domain.secrets import Secret

_ADDRESS_VARIABLES = ("_HOST", "_BASE_URL", "_API_BASE", "_ENDPOINT")

Declared = tuple[Provider, tuple[ProviderKey, ...]]


class DeclarationInvalid(Exception):
    """A declared provider could never be called. The message is one line that names it and what is wrong."""


def declared_config(
    providers: Sequence[DeclaredProvider],
    variables: Mapping[str, str],
    registry: ProviderRegistry,
    now: datetime,
    others: Iterable[Declared] = (),
    kept: Mapping[str, str] = {},
) -> DeclaredConfig:
    """Everything declared, each provider once; `others` are taken as they are. Raises `DeclarationInvalid`.

    `kept` are the references of those variables whose value was read of a file.

    The file's declaration of a provider (`providers`) wins over the environment's (`variables`); a key that only the
    environment has for it stays, so that the file can set a priority and leave the secret where it is.
    """
    found = {declared.id: _from_file(declared, registry, now) for declared in providers}
    for provider, keys in _from_environment(variables, registry, now):
        known, known_keys = found.get(provider.id, (provider, ()))
        found[provider.id] = (known, known_keys or keys)
    everything = (*found.values(), *others)
    keys = tuple(key for _, keys in everything for key in keys)
    in_files = _in_files(variables, registry, kept)
    return DeclaredConfig(
        tuple(provider for provider, _ in everything),
        keys,
        references={
            key.id: in_files[key.secret] for key in keys if key.owner == "environment" and key.secret in in_files
        }
        | {
            _file_key_id(declared.id, key, number): key.kept_at
            for declared in providers
            for number, key in enumerate(declared.keys, 1)
            if isinstance(key, KeptKey)
        },
    )


async def with_secrets(config: DeclaredConfig, references: SecretReferences) -> DeclaredConfig:
    """The same with what the secrets lead to that are still references. Raises `DeclarationInvalid`."""
    keys, followed = [], {}
    for key in config.keys:
        text, found = key.secret.reveal(), key.secret
        if references.is_reference(text):
            followed[key.id] = text
            try:
                found = checked_secret(await references.resolve(text))
            except (SecretMissing, RequestInvalid) as error:
                raise DeclarationInvalid(f"key '{key.label}' of provider '{key.provider_id}': {error}") from None
        keys.append(msgspec.structs.replace(key, secret=found))
    return msgspec.structs.replace(config, keys=tuple(keys), references={**config.references, **followed})


def _from_environment(variables: Mapping[str, str], registry: ProviderRegistry, now: datetime) -> Iterator[Declared]:
    """A provider for each preset whose usual variable is set, with its key where the variable holds one."""
    for preset in registry.presets():
        address, found = _address(preset, variables), _credentials(preset, variables)
        ambient = any(variables.get(name) for name in preset.ambient)
        if not found and (preset.requires_key or address is None) and not ambient:
            continue
        provider = filled(NewProvider(id=preset.id, base_url=address), registry, "environment", now)
        yield (
            provider,
            tuple(
                _key(f"pk_env_{preset.id}{suffix}", preset.id, "environment", secret, now, label=f"environment{suffix}")
                for number, secret in enumerate(found, 1)
                for suffix in [f"_{number}" if number > 1 else ""]
            ),
        )


def _from_file(declared: DeclaredProvider, registry: ProviderRegistry, now: datetime) -> Declared:
    try:
        provider = filled(declared, registry, "file", now)
        check_provider(provider, registry)
        return provider, tuple(_keys_from_file(declared, now))
    except RequestInvalid as error:
        raise DeclarationInvalid(f"providers ({declared.id}): {error.message}") from None


def _keys_from_file(declared: DeclaredProvider, now: datetime) -> Iterator[ProviderKey]:
    for number, key in enumerate(declared.keys, 1):
        label = key.label or str(number)
        yield msgspec.structs.replace(
            _key(
                _file_key_id(declared.id, key, number),
                declared.id,
                "file",
                checked_secret(key.secret),
                now,
                label=label,
                weight=key.weight,
            ),
            quota=key.quota,
        )


def _file_key_id(provider_id: str, key: DeclaredKey, number: int) -> str:
    return f"pk_file_{provider_id}_{key.label or number}"


def _key(
    key_id: str,
    provider_id: str,
    owner: Owner,
    secret: Secret,
    now: datetime,
    *,
    label: str = "environment",
    weight: int = 1,
) -> ProviderKey:
    return ProviderKey(
        id=key_id,
        provider_id=provider_id,
        label=label,
        secret=secret,
        weight=weight,
        owner=owner,
        created_at=now,
        updated_at=now,
    )


def credential_variables(preset: ProviderPreset) -> tuple[str, ...]:
    """Those of the preset's variables that hold a credential."""
    return tuple(name for name in preset.env if not name.endswith((*_ADDRESS_VARIABLES, "_ACCOUNT_ID")))


def _credentials(preset: ProviderPreset, variables: Mapping[str, str]) -> tuple[Secret, ...]:
    """Those of the first of the preset's variables that holds any. Raises `DeclarationInvalid`."""
    for name in credential_variables(preset):
        if found := credentials(variables, name):
            try:
                return tuple(map(checked_secret, found))
            except RequestInvalid as error:
                raise DeclarationInvalid(f"{name}: {error.message}") from None
    return ()


def _in_files(
    variables: Mapping[str, str], registry: ProviderRegistry, kept: Mapping[str, str]
) -> Mapping[Secret, str]:
    """Where each credential is that is all that its file holds: of one among several a new one could not be told."""
    found = {}
    known = (name for preset in registry.presets() for name in credential_variables(preset)) if kept else ()
    for name in (each for one in known for each in numbered(one) if each in kept):
        text = variables[name].strip()
        if [secret.reveal() for secret in credentials({name: text}, name)] == [text]:
            found[checked_secret(Secret(text))] = kept[name]
    return found


def _address(preset: ProviderPreset, variables: Mapping[str, str]) -> str | None:
    """Where a local server listens, from a variable such as `OLLAMA_HOST`; a bare host gets the preset's port."""
    for name in preset.env:
        if name.endswith(_ADDRESS_VARIABLES) and (value := variables.get(name)):
            return _as_url(value, preset.base_url)
    return None


def _as_url(value: str, default: str) -> str:
    """`0.0.0.0` is where a server listens, not where it is found (Ollama's variable serves both)."""
    scheme, separator, rest = value.partition("://")
    if not separator:
        scheme, rest = "http", value
    authority, slash, path = rest.partition("/")
    if ":" not in authority.rpartition("]")[2]:
        port = default.partition("://")[2].partition("/")[0].rpartition(":")[2]
        authority += f":{port}" if port.isdigit() and not separator else ""
    authority = authority.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - replaced, not bound
    return f"{scheme}://{authority}{slash}{path}".rstrip("/")
