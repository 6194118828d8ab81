"""A kind of adapter and the providers known of it, as data; and where its code is once it is needed.

A provider is an entry of one of five sorts. A sort has no field for what its providers cannot have (a local server has
no page where keys are made, and what is switched on by hand has no variable), so it cannot be written into an entry.
What is the same for a whole sort is said once, in its class.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import ClassVar, Final, Protocol, cast

import httpx
import msgspec

from adapters.constraints.rules import Target
from adapters.dialects.openai.quirks import EndpointQuirks, Quirks
from adapters.providers.free_tiers import OWN_SERVER, UNKNOWN
from adapters.providers.targets import UNKNOWN_SERVER
from domain.fidelity import Fidelity
from domain.free_tiers import FreeTier
from domain.ports.providers import Capabilities
from domain.providers import Provider, ProviderPreset
from domain.timeouts import Timeouts

PATHS: Final = {
    "completions": "/completions",
    "embeddings": "/embeddings",
    "images.generations": "/images/generations",
    "images.edits": "/images/edits",
    "audio.speech": "/audio/speech",
    "audio.transcriptions": "/audio/transcriptions",
    "audio.translations": "/audio/translations",
    "moderations": "/moderations",
    "rerank": "/rerank",
    "responses": "/responses",
    "responses.input_tokens": "/responses/input_tokens",
}
"""Where OpenAI has its endpoints, besides chat and the list of models."""


def also(*endpoints: str) -> dict[str, str]:
    """These endpoints, where OpenAI has them."""
    return {endpoint: PATHS[endpoint] for endpoint in endpoints}


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What every sort says: who it is, how its API differs from OpenAI's (`quirks`), what it takes of a conversation
    (`target`), and where its endpoints lie.

    Paths follow the base URL; a leading `..` takes its last segment away. `version_path` is appended to a
    base URL an operator gave without a version. `chat_path` of None: it does not chat. `models_path` of None: it lists
    no models. `paths` names the endpoints it has besides chat and models.
    """

    id: str
    name: str
    priority: int  # lower is tried first
    kind: str = "openai"
    quirks: Quirks = Quirks()
    target: Target = UNKNOWN_SERVER
    chat_path: str | None = "/chat/completions"
    models_path: str | None = "/models"
    version_path: str = "/v1"
    headers: tuple[tuple[str, str], ...] = ()  # fixed ones it asks for, besides the usual
    paths: dict[str, str] = {}  # by endpoint
    endpoint_quirks: dict[str, EndpointQuirks] = {}  # by endpoint

    @property
    def addresses(self) -> dict[str, str]:
        """Where each endpoint is, chat among them."""
        return self.paths if self.chat_path is None else {"chat.completions": self.chat_path, **self.paths}

    @property
    def preset(self) -> ProviderPreset:
        """What people see of it: the fields of a preset that this sort has, made anew for each who asks."""
        return msgspec.convert(self, ProviderPreset, from_attributes=True)


class Hosted(Entry, frozen=True, kw_only=True):
    """A service on the Internet that takes a key, and is switched on by the variable that holds one."""

    base_url: str  # may hold `{account_id}`, filled in from the environment
    env: tuple[str, ...]  # the first is the usual one
    key_url: str
    free_tier: FreeTier
    default_model: str | None = None
    models: tuple[str, ...] = ()  # offered for certain, used before its list was first read


class OptIn(Entry, frozen=True, kw_only=True):
    """A service on the Internet that takes a key, and that no variable switches on: somebody adds it by name."""

    env: ClassVar[tuple[str, ...]] = ()

    base_url: str
    free_tier: FreeTier
    key_url: str = ""
    default_model: str | None = None
    models: tuple[str, ...] = ()


class Cloud(Entry, frozen=True, kw_only=True):
    """A part of a cloud. `ambient` variables switch it on too: its adapter finds the cloud's credential by itself."""

    requires_key: ClassVar[bool] = False

    base_url: str  # without the region, which the settings or the environment have
    env: tuple[str, ...]
    key_url: str
    ambient: tuple[str, ...] = ()
    free_tier: FreeTier = UNKNOWN
    default_model: str | None = None
    models: tuple[str, ...] = ()


class LocalServer(Entry, frozen=True, kw_only=True):
    """A server of one's own, whose models nobody knows beforehand; `base_url` is where it listens by default.

    The variables that end as `_HOST` or `_BASE_URL` do hold its address, the others a key, which it needs not have.
    """

    requires_key: ClassVar[bool] = False
    free_tier: ClassVar[FreeTier] = OWN_SERVER

    base_url: str
    env: tuple[str, ...]


class AnyServer(Entry, frozen=True, kw_only=True):
    """Whatever answers at an address that only the operator can give."""

    base_url: ClassVar[str] = ""

    env: tuple[str, ...] = ()
    requires_key: bool = True
    free_tier: FreeTier = UNKNOWN
    key_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildContext:
    """One provider version to build for. `provider.base_url` and `base` are the URL in force; `now` is Unix time.

    `variables` are the environment's: for cloud credentials that are found there and nowhere else. `count_tokens`
    estimates the tokens of a text, where the upstream cannot be asked.
    """

    provider: Provider
    entry: Entry
    base: httpx.URL
    transport: httpx.AsyncBaseTransport
    timeouts: Timeouts
    user_agent: str
    variables: Mapping[str, str]
    now: Callable[[], float]
    count_tokens: Callable[[str], int]


class AdapterModule(Protocol):
    """What the module of a kind's adapter has."""

    def build(self, context: BuildContext, /) -> Capabilities:
        """Raises `RequestInvalid` where the provider's settings are not enough."""
        ...

    def fidelity(self, entry: Entry, /) -> dict[str, Fidelity]:
        """The parameter tables of an entry, by endpoint."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One row of the admin API's provider kinds: data, in memory from the start.

    `entries` are the providers known by name. `adapter` is the dotted name of an `AdapterModule`, which is imported
    when the first provider of the kind is built or its tables are asked for: a process holds no adapter and no dialect
    that it does not use.
    """

    id: str
    name: str
    adapter: str
    endpoints: tuple[str, ...]  # `chat.completions`, `embeddings`, …, `models`
    entries: tuple[Entry, ...]
    fallback: Entry | None = None  # stands for a provider that is none of `entries`; None: the first of them does

    @property
    def unknown(self) -> Entry:
        """The entry of a provider of this kind of which nothing more is known."""
        return self.fallback or self.entries[0]

    def load(self) -> AdapterModule:
        """The adapter, imported by the first call."""
        return cast(AdapterModule, import_module(self.adapter))
