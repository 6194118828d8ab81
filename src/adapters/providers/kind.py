"""A kind of adapter: what it is called and which providers are of it, and where its code is once it is needed."""

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
class Code:
    """What a kind runs: `build` and `fidelity` as `Kind` has them."""

    build: Callable[[Place], Capabilities]
    fidelity: Callable[[Entry], dict[str, Fidelity]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One row of the admin API's provider kinds: data, in memory from the start.

    `entries` are the providers known by name; `unknown` stands for a provider of this kind that is none of them.
    `code` imports what the kind runs. The first provider of the kind has it called, so that a process holds no
    adapter and no dialect that it does not use.
    """

    id: str
    name: str
    code: Callable[[], Code]
    endpoints: tuple[str, ...]  # `chat.completions`, `embeddings`, …, `models`
    entries: tuple[Entry, ...]
    unknown: Entry

    def build(self, place: Place) -> Capabilities:
        """Raises `RequestInvalid` where the provider's settings are not enough."""
        return self.code().build(place)

    def fidelity(self, entry: Entry) -> dict[str, Fidelity]:
        """The parameter tables of an entry, by endpoint."""
        return self.code().fidelity(entry)
