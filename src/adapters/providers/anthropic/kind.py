"""Anthropic as a kind: what is known of it before any of its code is loaded."""

from typing import Final

import msgspec

from adapters.providers.entry import Entry
from adapters.providers.kind import Code, Kind
from domain.providers import ProviderPreset

ENTRY: Final = Entry(
    ProviderPreset(
        id="anthropic",
        kind="anthropic",
        name="Anthropic",
        base_url="https://api.anthropic.com/v1",
        env=("ANTHROPIC_API_KEY",),
        priority=205,
        default_model="claude-sonnet-5",
        models=("claude-opus-5", "claude-sonnet-5", "claude-haiku-4-5"),
        free_tier="none",
        key_url="https://platform.claude.com/settings/keys",
    ),
)


def _code() -> Code:
    from adapters.providers.anthropic import adapter

    return Code(build=adapter.build, fidelity=adapter.fidelity)


KIND: Final = Kind(
    id="anthropic",
    name="Anthropic Messages",
    code=_code,
    endpoints=("chat.completions", "messages", "messages.count_tokens", "models"),
    entries=(ENTRY,),
    unknown=msgspec.structs.replace(ENTRY, preset=msgspec.structs.replace(ENTRY.preset, default_model=None)),
)
