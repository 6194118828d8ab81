"""Cohere as a kind: what is known of it before any of its code is loaded."""

from typing import Final

import msgspec

from adapters.providers.entry import Entry
from adapters.providers.kind import Code, Kind
from domain.providers import ProviderPreset

ENTRY: Final = Entry(
    ProviderPreset(
        id="cohere",
        kind="cohere",
        name="Cohere",
        base_url="https://api.cohere.com",
        env=("COHERE_API_KEY", "CO_API_KEY"),
        priority=165,
        default_model="command-a-03-2025",
        free_tier="1,000 calls a month with a trial key, 20 chats a minute",
        key_url="https://dashboard.cohere.com/api-keys",
    ),
    version_path="",
)

UNKNOWN: Final = Entry(msgspec.structs.replace(ENTRY.preset, default_model=None), version_path="")
"""A server of the same API of whose models nothing is known."""


def _code() -> Code:
    from adapters.providers.cohere import adapter

    return Code(build=adapter.build, fidelity=adapter.fidelity)


KIND: Final = Kind(
    id="cohere",
    name="Cohere",
    code=_code,
    endpoints=("chat.completions", "embeddings", "models"),
    entries=(ENTRY,),
    unknown=UNKNOWN,
)
