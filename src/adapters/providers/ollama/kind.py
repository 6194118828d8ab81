"""Ollama as a kind: what is known of it before any of its code is loaded."""

from typing import Final

from adapters.dialects.openai.quirks import Quirks
from adapters.providers.entry import Entry
from adapters.providers.kind import Code, Kind
from domain.providers import ProviderPreset

ENTRY: Final = Entry(
    ProviderPreset(
        id="ollama",
        kind="ollama",
        name="Ollama (local)",
        base_url="http://127.0.0.1:11434",
        env=("OLLAMA_HOST",),
        priority=400,
        requires_key=False,
        free_tier="your own machine",
    ),
    Quirks(max_tokens_field="max_tokens"),
    version_path="",
)


def _code() -> Code:
    from adapters.providers.ollama import adapter

    return Code(build=adapter.build, fidelity=adapter.fidelity)


KIND: Final = Kind(
    id="ollama",
    name="Ollama",
    code=_code,
    endpoints=("chat.completions", "completions", "embeddings", "models"),
    entries=(ENTRY,),
    unknown=ENTRY,
)
