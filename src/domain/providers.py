"""Providers: who serves models, where, and what the gateway knows of the place."""

from datetime import datetime
from typing import Literal

import msgspec

from domain.errors import RequestInvalid
from domain.fidelity import Fidelity, ParamSupport
from domain.timeouts import TimeoutOverrides

RESERVED_IDS = frozenset(
    "v1 admin docs health metrics app assets auth me chat completions embeddings models images audio "
    "moderations responses messages usage".split()
)

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
    num_ctx: int | None = None  # Ollama: the context for requests that name none


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
    free_tier: str = ""  # in words, for people
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
        raise RequestInvalid(f"'{provider_id}' is the name of a route; choose another provider id.", param="id")
    return provider_id
