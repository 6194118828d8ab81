"""llama.cpp's server on your own machine.

Source: llama.cpp server (read 2026-11). 503 while a model loads; older versions tell a
stream's error in an `error:` line.
"""

from adapters.dialects.openai.quirks import REASONING_FIELDS, Quirks
from adapters.providers.entry import Entry, also
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="llamacpp",
        kind="openai",
        name="llama.cpp (local)",
        base_url="http://127.0.0.1:8080/v1",
        env=("LLAMACPP_BASE_URL",),
        priority=430,
        requires_key=False,
        free_tier="your own machine",
    ),
    Quirks(max_tokens_field="max_tokens", system_anywhere=False, message_fields=frozenset(REASONING_FIELDS)),
    paths=also("completions", "embeddings", "responses"),
)
