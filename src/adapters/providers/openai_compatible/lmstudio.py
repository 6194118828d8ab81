"""LM Studio on your own machine.

Source: litellm lm_studio (read 2026-11). It refuses `json_object` and answers unknown paths with 200 and an error.
"""

from adapters.dialects.openai.quirks import REASONING_FIELDS, TEXT_ONLY, Quirks
from adapters.providers.entry import Entry, also
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="lmstudio",
        kind="openai",
        name="LM Studio (local)",
        base_url="http://127.0.0.1:1234/v1",
        env=("LM_STUDIO_API_BASE", "LM_STUDIO_API_KEY"),
        priority=420,
        requires_key=False,
        free_tier="your own machine",
    ),
    Quirks(max_tokens_field="max_tokens", system_anywhere=False, message_fields=frozenset(REASONING_FIELDS)),
    paths=also("completions", "embeddings", "responses"),
    endpoint_quirks={"embeddings": TEXT_ONLY},
)
