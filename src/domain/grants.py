"""What a request may do: the lists of a key and of its tenant together, of which each narrows and none widens.

A list that is absent restricts nothing, an empty one allows nothing (contract 8).
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from domain.errors import PermissionDenied

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Scope = Literal["inference", "usage"]


class Patterns:
    """What a list of models or providers allows.

    An entry is a name, or a pattern in which `*` stands for anything: `openai/*`, `*:free`. One that begins with `!`
    takes away what it matches, wherever it stands; a list of nothing else takes away from everything. `@fast` is the
    model group of that name, in `groups`; one that is not there allows nothing, and taken away it takes everything.
    """

    __slots__ = ("_all", "_given", "_names", "_not", "_some", "_taken")

    def __init__(self, entries: Iterable[str], groups: Mapping[str, Sequence[str]] | None = None) -> None:
        entries = tuple(entries)
        given = [entry for entry in entries if not entry.startswith("!")]
        taken = [entry[1:] for entry in entries if entry.startswith("!")]
        self._given = _groups([entry for entry in given if is_group(entry)], groups, ())
        self._taken = _groups([entry for entry in taken if is_group(entry)], groups, ("*",))
        self._names = frozenset(entry for entry in given if "*" not in entry and not is_group(entry))
        self._all = "*" in given or (bool(taken) and not given)
        self._some = [entry.split("*") for entry in given if "*" in entry]
        self._not = [entry.split("*") for entry in taken if not is_group(entry)]

    def match(self, *names: str) -> bool:
        """Whether one of the names of a thing is allowed, and none of them taken away."""
        if any(_matches(parts, name) for parts in self._not for name in names):
            return False
        if any(group.match(*names) for group in self._taken):
            return False
        if self._all or any(name in self._names for name in names):
            return True
        if any(_matches(parts, name) for parts in self._some for name in names):
            return True
        return any(group.match(*names) for group in self._given)


class Grants(msgspec.Struct, frozen=True):
    """All lists that one caller's requests have to pass. None, and no list at all, restrict nothing."""

    models: tuple[Patterns, ...] = ()
    providers: tuple[Patterns, ...] = ()
    networks: tuple[tuple[Network, ...], ...] = ()
    endpoints: frozenset[str] | None = None
    scopes: frozenset[str] | None = None

    def allow(self, provider_id: str, model: str) -> bool:
        """Whether this model may be asked of this provider.

        Models are held against `provider/model` and the model's own id, providers against the provider's.
        """
        if not self.allow_provider(provider_id):
            return False
        return all(patterns.match(model, f"{provider_id}/{model}") for patterns in self.models)

    def allow_provider(self, provider_id: str) -> bool:
        """Whether this provider may be asked, if for nothing else than what it keeps."""
        return all(patterns.match(provider_id) for patterns in self.providers)

    def require_address(self, address: str) -> None:
        """Raises `PermissionDenied` for an address outside of a list, and for one that is none."""
        if self.networks and not all(_contain(networks, address) for networks in self.networks):
            raise PermissionDenied("This API key may not be used from this address.", code="address_not_allowed")

    def require_use(self, address: str, scope: Scope) -> None:
        """Raises `PermissionDenied` unless it may be used from there, and for this at all."""
        self.require_address(address)
        self.require_scope(scope)

    def require_scope(self, scope: Scope) -> None:
        """Raises `PermissionDenied`."""
        if self.scopes is not None and scope not in self.scopes:
            raise PermissionDenied(f"This API key lacks the scope '{scope}'.", code="scope_missing")

    def require_endpoint(self, endpoint: str) -> None:
        """Raises `PermissionDenied`. Endpoints are named as in the request log: `chat.completions`."""
        self.require_scope("inference")
        if self.endpoints is not None and endpoint not in self.endpoints:
            raise PermissionDenied(f"This API key may not use the endpoint '{endpoint}'.", code="endpoint_not_allowed")


def is_group(entry: str) -> bool:
    """Whether an entry names a model group: `@fast`, and not `@cf/meta/llama`, which is a model."""
    return entry.startswith("@") and "/" not in entry


def groups_in(entries: Iterable[str] | None) -> set[str]:
    """The names of the model groups in a list, without `@`."""
    bare = (entry.removeprefix("!") for entry in entries or ())
    return {entry[1:] for entry in bare if is_group(entry)}


def networks(cidrs: Iterable[str]) -> tuple[Network, ...]:
    """Raises `ValueError` for what is neither an address nor a network. IPv4 in IPv6 is what it is in IPv4."""
    return tuple(_unmapped(ipaddress.ip_network(entry, strict=False)) for entry in cidrs)


_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


def _unmapped(network: Network) -> Network:
    """`10.0.0.0/8` for `::ffff:10.0.0.0/104`: addresses are held against networks without the prefix."""
    if isinstance(network, ipaddress.IPv4Network) or not network.subnet_of(_MAPPED):
        return network
    first = int(network.network_address) & 0xFFFFFFFF
    return ipaddress.IPv4Network((first, network.prefixlen - _MAPPED.prefixlen))


def _contain(found: Sequence[Network], address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in found)


def _groups(
    entries: Sequence[str], known: Mapping[str, Sequence[str]] | None, absent: Sequence[str]
) -> tuple[Patterns, ...]:
    return tuple(Patterns((known or {}).get(entry[1:], absent)) for entry in entries)


def _matches(parts: Sequence[str], name: str) -> bool:
    """Whether a name is a pattern's parts in their order, with anything between them. Linear, whatever the pattern."""
    first, last = parts[0], parts[-1]
    if len(parts) == 1:
        return name == first
    if len(name) < len(first) + len(last) or not (name.startswith(first) and name.endswith(last)):
        return False
    at, end = len(first), len(name) - len(last)
    for part in parts[1:-1]:
        at = name.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True
