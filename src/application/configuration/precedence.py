"""Which declaration of a provider holds: the settings file's, then the database's, then the environment's.

A stored provider that the file declares too rests: nothing of it is lost, and it is back once the file has it no more.
"""

from collections.abc import Sequence

import msgspec

from application.admin.provider_changes import origin_of
from domain.keys import ProviderKey
from domain.ports.providers import ProviderRegistry
from domain.providers import Provider


class Merged(msgspec.Struct, frozen=True):
    """The providers and keys in force. `resting` are the ids of stored providers that the file declares too."""

    providers: tuple[Provider, ...]
    keys: tuple[ProviderKey, ...]
    resting: frozenset[str] = frozenset()


def merged(
    declared: Sequence[Provider],
    declared_keys: Sequence[ProviderKey],
    stored: Sequence[Provider],
    stored_keys: Sequence[ProviderKey],
    registry: ProviderRegistry,
) -> Merged:
    """Keys of a resting provider go on where the file leads to the same server.

    A key is bound to the origin it was entered for (S-07): to another one it is never sent.
    """
    of_file = {provider.id: provider for provider in declared if provider.owner == "file"}
    resting = {provider.id: provider for provider in stored if provider.id in of_file}
    elsewhere = {
        provider_id
        for provider_id, provider in resting.items()
        if _server(provider, registry) != _server(of_file[provider_id], registry)
    }
    providers = {each.id: each for each in declared} | {each.id: each for each in stored} | of_file
    return Merged(
        tuple(providers.values()),
        (*declared_keys, *(key for key in stored_keys if key.provider_id not in elsewhere)),
        frozenset(resting),
    )


def _server(provider: Provider, registry: ProviderRegistry) -> tuple[str, tuple[str, str, int] | None]:
    """The kind, and the origin of the URL in use."""
    preset = registry.preset_for(provider)
    return provider.kind, origin_of(provider.base_url or (preset.base_url if preset is not None else None))
