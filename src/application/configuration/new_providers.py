"""A provider as an operator writes it, by API, command line, file or environment, and what becomes of it.

The one place where it gets from its preset what nobody said (`filled`), and the checks it has to pass.
"""

from datetime import datetime
from pathlib import PurePosixPath
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from domain.errors import RequestInvalid
from domain.ports.providers import ProviderRegistry
from domain.provider_headers import check_headers
from domain.providers import Owner, Provider, ProviderSettings, check_provider_id
from domain.quotas import Quotas
from domain.secrets import MASK, Secret

ProviderName = Annotated[str, Meta(min_length=1, max_length=200)]
BaseUrl = Annotated[str, Meta(min_length=1, max_length=2048)]
Priority = Annotated[int, Meta(ge=0, le=1_000_000)]
KeyLabel = Annotated[str, Meta(max_length=200)]
KeyWeight = Annotated[int, Meta(ge=1, le=1000)]

MAX_SECRET_LENGTH = 8_192

DEFAULT_PORTS = {"http": 80, "https": 443}


class NewProvider(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A provider to create. What is left out comes from the preset of the same id, where there is one."""

    id: str
    kind: str | None = None
    name: ProviderName | None = None
    base_url: BaseUrl | None = None
    priority: Priority | None = None
    enabled: bool = True
    settings: ProviderSettings = msgspec.field(default_factory=ProviderSettings)


class DeclaredKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A provider key in the settings file: the secret itself, or `env:NAME`."""

    secret: Secret
    label: KeyLabel = ""
    weight: KeyWeight = 1
    quota: Quotas | None = None


class KeptKey(DeclaredKey, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One whose secret was read of the file `kept_at`: whoever reads the settings makes it, no file can write it."""

    kept_at: str


class DeclaredProvider(NewProvider, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A provider in the settings file: the same, with its keys."""

    keys: tuple[DeclaredKey, ...] = ()


def check_settings(settings: ProviderSettings) -> None:
    """Raises `RequestInvalid` for numbers no call could live with, and for what is no proxy, header or file's name."""
    if settings.headers:
        check_headers(settings.headers)
    if settings.proxy is not None:
        check_proxy(settings.proxy, "settings.proxy")
    for field, name in (("ca_file", settings.ca_file), ("client_cert", settings.client_cert)):
        if name is not None and not _inside(name):
            raise RequestInvalid(
                f"{field} is the name of a file inside the data folder, such as own-ca.pem.",
                param=f"settings.{field}",
            )
    if not 1 <= settings.max_connections <= 100_000:
        raise RequestInvalid("max_connections is 1 to 100000.", param="settings.max_connections")
    if settings.num_ctx is not None and settings.num_ctx < 1:
        raise RequestInvalid("num_ctx is a number of tokens, at least 1.", param="settings.num_ctx")
    overrides = {"timeouts": settings.timeouts} | {
        f"model_timeouts.{model}": timeouts for model, timeouts in settings.model_timeouts.items()
    }
    for field, timeouts in overrides.items():
        for name in timeouts.__struct_fields__:
            seconds = getattr(timeouts, name)
            if seconds is not None and not 0 < seconds <= 3600:
                raise RequestInvalid(
                    f"A timeout is more than 0 and at most 3600 seconds, not {seconds}.",
                    param=f"settings.{field}.{name}",
                )


def _inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and name.isprintable()


def check_proxy(url: str, param: str) -> None:
    """Raises `RequestInvalid` for what is no `http://host:port`, or has half a password; no message shows any of it."""
    try:
        parts = urlsplit(url)
        plain = parts.scheme == "http" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, plain = urlsplit(""), False
    if not plain or parts.path not in {"", "/"} or parts.query or parts.fragment or not url.isprintable() or " " in url:
        raise RequestInvalid(
            "A proxy is an address such as http://proxy.example:3128 or http://user:password@proxy.example:3128; "
            "one that is itself asked over https:// or SOCKS is not supported.",
            param=param,
        )
    given, _, _ = parts.netloc.rpartition("@")
    if given == MASK:
        raise RequestInvalid("A proxy's user name and password are not shown: give both again.", param=param)
    if given and (not parts.username or not parts.password or "@" in given):
        raise RequestInvalid(
            "A proxy has a user name and a password, or neither; ':', '/', '@' in them are written %3A, %2F, %40.",
            param=param,
        )


def check_url(url: str) -> None:
    """Raises `RequestInvalid` for what is no plain http or https address. It is shown, so it may hold no secret."""
    try:
        parts = urlsplit(url)
        plain = parts.scheme in DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        plain = False
    if not plain or any(character.isspace() for character in url):
        raise RequestInvalid("base_url is an http:// or https:// address such as https://host/v1.", param="base_url")
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise RequestInvalid(
            "base_url holds no credentials, query or fragment: a key is stored apart from it.", param="base_url"
        )


def checked_secret(secret: Secret) -> Secret:
    """The secret without the white space that pasting brings: a word for a header, or a cloud's JSON credentials.

    Raises `RequestInvalid`.
    """
    value = _compact(secret.reveal().strip())
    if not value or len(value) > MAX_SECRET_LENGTH:
        raise RequestInvalid(f"A secret has 1 to {MAX_SECRET_LENGTH} characters.", param="secret")
    if not all("!" <= character <= "~" for character in value):
        raise RequestInvalid(
            "A secret is one word of visible ASCII characters, or a JSON object of credentials.", param="secret"
        )
    return Secret(value)


def _compact(value: str) -> str:
    """A JSON object as consoles write it, over many lines, without its white space; anything else as it is."""
    if not value.startswith("{"):
        return value
    try:
        fields = msgspec.json.decode(value, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError as error:
        raise RequestInvalid(f"The secret begins like JSON and is none: {error}.", param="secret") from None
    return msgspec.json.format(msgspec.json.encode(fields), indent=-1).decode().replace(" ", "\\u0020")


DEFAULT_KIND: Final = "openai"
"""Of a provider that no preset is known for: every OpenAI-compatible server."""

DEFAULT_PRIORITY: Final = 100
"""Of a provider that no preset is known for."""

FILE_PRIORITY: Final = 50
"""The same, where the settings file declares it."""


def filled(new: NewProvider, registry: ProviderRegistry, owner: Owner, now: datetime) -> Provider:
    """The new provider, with what it leaves out taken from its preset. Not checked.

    Its kind is that of the preset which `settings.preset` or its id names. Name and priority are those of the preset
    whose quirks apply to it. `base_url` stays None where the preset's is meant, so that it follows the preset.
    """
    named = {preset.id: preset for preset in registry.presets()}.get(new.settings.preset or new.id)
    usual = FILE_PRIORITY if owner == "file" else DEFAULT_PRIORITY
    bare = Provider(
        id=new.id,
        kind=new.kind or (named.kind if named else DEFAULT_KIND),
        name=new.name or new.id,
        base_url=new.base_url,
        priority=usual if new.priority is None else new.priority,
        enabled=new.enabled,
        settings=new.settings,
        owner=owner,
        version=1,
        created_at=now,
        updated_at=now,
    )
    preset = registry.preset_for(bare)
    if preset is None:
        return bare
    return msgspec.structs.replace(
        bare,
        name=new.name or (preset.name if preset.id == new.id else new.id),
        priority=preset.priority if new.priority is None else new.priority,
    )


def check_provider(provider: Provider, registry: ProviderRegistry) -> None:
    """Raises `RequestInvalid`, with the field at fault, where the provider could not be called as it is."""
    check_provider_id(provider.id)
    if provider.base_url is not None:
        check_url(provider.base_url)
    check_settings(provider.settings)
    registry.check(provider)
    chosen = provider.settings.preset
    preset = next((preset for preset in registry.presets() if preset.id == chosen), None)
    if preset is not None and preset.kind != provider.kind:
        raise RequestInvalid(
            f"The preset '{preset.id}' is of kind '{preset.kind}', and this provider of kind '{provider.kind}'.",
            param="settings.preset",
        )
