"""Providers: who serves models, where, and what the gateway knows of the place."""

import re
from datetime import datetime
from typing import Literal

import msgspec
from typing_extensions import override

from domain.errors import RequestInvalid
from domain.fidelity import Fidelity, ParamSupport
from domain.free_tiers import FreeTier
from domain.provider_headers import shown_headers, with_hidden_of
from domain.quotas import Quotas
from domain.secrets import MASK
from domain.timeouts import TimeoutOverrides

RESERVED_IDS = frozenset(
    "v1 v1beta admin api app assets auth batches docs files health mcp me metrics realtime rerank static user "
    "chat completions embeddings models images audio moderations responses messages usage mock".split()
)

_USER_INFO = re.compile(r"(?<=://).*@")

Owner = Literal["database", "environment", "file", "demo"]
"""Who declares an object. All but `database` are read-only in the admin API."""


class ModelPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where one model of a cloud is, where that differs from the provider's own."""

    project: str | None = None
    location: str | None = None
    deployment: str | None = None  # Azure: the name its deployment has


class ProviderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an operator may change about a provider, beyond its URL. All fields optional."""

    preset: str | None = None  # a registry row whose quirks apply; default: the row named like the provider
    default_model: str | None = None  # what `auto` asks this provider for
    models: tuple[str, ...] = ()  # offered for certain, besides what its model list says
    drop_params: tuple[str, ...] = ()  # parameters this upstream refuses, besides the preset's
    timeouts: TimeoutOverrides = TimeoutOverrides()
    model_timeouts: dict[str, TimeoutOverrides] = {}
    allow_private_network: bool = False  # its name may resolve to a private address (S-08)
    max_connections: int = 1000
    on_disconnect: Literal["cancel", "drain"] = "cancel"  # of a stream whose client left; `drain` reads its usage
    api_version: str | None = None  # Azure: of the classic addresses; without it the v1 endpoint is used
    project: str | None = None  # Vertex AI
    location: str | None = None  # Vertex AI: `global`, `europe-west4`, …; Bedrock: the AWS region
    model_places: dict[str, ModelPlace] = {}
    default_voice: str | None = None  # of speech requests that name none
    num_ctx: int | None = None  # Ollama: the context for requests that name none
    quota: Quotas = ()  # that all its keys share
    flat_fee: bool = False  # a plan that is paid by the month: a request costs nothing
    proxy: str | None = None  # the outbound proxy to it, `http://user:password@host:port`; None: the gateway's own
    ca_file: str | None = None  # in the data folder: authorities (PEM) that are trusted besides the usual ones
    client_cert: str | None = None  # in the data folder: a certificate and its key (PEM) that it is shown
    headers: dict[str, str] = {}  # sent to the origin of its base URL besides the gateway's own

    def shown(self) -> "ProviderSettings":
        """The same as anyone may read it: the proxy without its user name and password, no header of a credential."""
        if self.proxy is None and not self.headers:
            return self
        proxy = None if self.proxy is None else _USER_INFO.sub(f"{MASK}@", self.proxy)
        return msgspec.structs.replace(self, proxy=proxy, headers=shown_headers(self.headers))

    def with_hidden_of(self, stored: "ProviderSettings") -> "ProviderSettings":
        """What is written here as `stored` is shown is what is stored."""
        kept = stored.proxy if self.proxy is not None and self.proxy == stored.shown().proxy else self.proxy
        return msgspec.structs.replace(self, proxy=kept, headers=with_hidden_of(self.headers, stored.headers))


class FollowedSettings(ProviderSettings, frozen=True):
    """Settings of a file, whose headers of the names `hidden` stood somewhere else: they are shown to nobody."""

    hidden: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: ProviderSettings, headers: dict[str, str], hidden: frozenset[str]) -> "FollowedSettings":
        fields = {name: getattr(settings, name) for name in settings.__struct_fields__}
        return cls(**fields | {"headers": headers, "hidden": hidden})

    @override
    def shown(self) -> ProviderSettings:
        shown = ProviderSettings(**{name: getattr(self, name) for name in ProviderSettings.__struct_fields__}).shown()
        return msgspec.structs.replace(shown, headers=shown_headers(self.headers, self.hidden))


class Provider(msgspec.Struct, frozen=True):
    """One configured upstream. `version` grows with each change; a client belongs to one version (R-12)."""

    id: str
    kind: str  # names an adapter: `openai`, `simulated`, …
    name: str
    base_url: str | None  # None: the preset's
    priority: int  # lower is tried first
    enabled: bool
    settings: ProviderSettings
    owner: Owner
    version: int
    created_at: datetime
    updated_at: datetime


class ProviderPreset(msgspec.Struct, frozen=True):
    """What the registry knows of a provider before anyone configures it."""

    id: str
    kind: str
    name: str
    base_url: str
    env: tuple[str, ...]  # variables whose presence switches it on; the first is the usual one
    priority: int
    requires_key: bool = True
    default_model: str | None = None
    models: tuple[str, ...] = ()  # offered for certain, used before its list was first read
    free_tier: FreeTier = FreeTier(kind="unknown")
    key_url: str = ""  # where a person gets a key
    ambient: tuple[str, ...] = ()  # variables that switch it on too, while the adapter finds the credential itself


class KindDescription(msgspec.Struct, frozen=True):
    """One adapter, as `GET /admin/provider-kinds` shows it."""

    kind: str
    name: str
    endpoints: tuple[str, ...]
    params: dict[str, ParamSupport]  # of chat
    presets: tuple[ProviderPreset, ...] = ()
    preset_params: dict[str, dict[str, ParamSupport]] = {}  # by preset: where it differs from `params`
    fidelity: dict[str, Fidelity] = {}  # by endpoint: what becomes of each parameter, and of what it is mapped to


class Offering(msgspec.Struct, frozen=True):
    """One model a provider lists. `created` is Unix seconds, 0 where the provider does not say."""

    model: str
    created: int = 0
    owned_by: str = ""
    context_window: int | None = None
    capabilities: tuple[str, ...] = ()  # names of `Capabilities`; empty where the provider does not say


def check_provider_id(provider_id: str) -> str:
    """Return the id, or raise `RequestInvalid` where it could not stand in a URL or is a route's name."""
    head, tail = provider_id[:1], provider_id[1:]
    plain = head.isascii() and head.isalnum() and head == head.lower() and len(provider_id) <= 63
    if not (plain and all(c.isascii() and (c.isdigit() or c.islower() or c in "_-") for c in tail)):
        raise RequestInvalid(
            "A provider id is 1 to 63 of a-z, 0-9, '-' and '_', and starts with a letter or digit.", param="id"
        )
    if provider_id in RESERVED_IDS:
        raise RequestInvalid(
            f"'{provider_id}' is the name of a route, or of mocks; choose another provider id.", param="id"
        )
    return provider_id
