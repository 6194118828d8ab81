"""A kind of adapter: what it is called, how its capabilities are built, and what becomes of each parameter."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from adapters.providers.entry import Entry
from domain.fidelity import Fidelity
from domain.ports.providers import Capabilities
from domain.providers import Provider
from domain.timeouts import Timeouts


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One row of the admin API's provider kinds.

    `entries` are the providers known by name; `unknown` stands for a provider of this kind that is none of them.
    `build` raises `RequestInvalid` where the provider's settings are not enough. `fidelity` gives the parameter
    tables of an entry, by endpoint.
    """

    id: str
    name: str
    build: Callable[[Place], Capabilities]
    fidelity: Callable[[Entry], dict[str, Fidelity]]
    endpoints: tuple[str, ...]  # `chat.completions`, `embeddings`, …, `models`
    entries: tuple[Entry, ...]
    unknown: Entry
