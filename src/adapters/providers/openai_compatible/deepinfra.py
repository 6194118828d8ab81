"""DeepInfra.

Source: litellm 1.106 (read 2026-11). Of tool choices it knows `auto` and `none`.
"""

from adapters.dialects.openai.quirks import TEXT_ONLY, Quirks
from adapters.providers.entry import Entry, also
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="deepinfra",
        kind="openai",
        name="DeepInfra",
        base_url="https://api.deepinfra.com/v1/openai",
        env=("DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN"),
        priority=250,
        free_tier="none",
        key_url="https://deepinfra.com/dash/api_keys",
    ),
    Quirks(
        max_tokens_field="max_tokens",
        rewrite={"tool_choice": {'"required"': '"auto"', "{": '"auto"'}},
    ),
    paths=also("completions", "embeddings", "images.generations", "audio.speech", "audio.transcriptions"),
    endpoint_quirks={"embeddings": TEXT_ONLY},
)
