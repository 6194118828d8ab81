"""A vLLM server of your own.

Source: vLLM's OpenAI server, litellm hosted_vllm (read 2026-11). A key only where it was started with one.
"""

from adapters.dialects.openai.quirks import REASONING_FIELDS, Quirks
from adapters.providers.entry import Entry, also
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="vllm",
        kind="openai",
        name="vLLM (own server)",
        base_url="http://127.0.0.1:8000/v1",
        env=("VLLM_BASE_URL", "HOSTED_VLLM_API_BASE", "VLLM_API_KEY", "HOSTED_VLLM_API_KEY"),
        priority=410,
        requires_key=False,
        free_tier="your own machine",
    ),
    Quirks(developer_role=True, system_anywhere=False, message_fields=frozenset(REASONING_FIELDS)),
    paths=also("completions", "embeddings", "audio.transcriptions", "responses"),
)
