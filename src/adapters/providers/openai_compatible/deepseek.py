"""DeepSeek.

Source: api-docs.deepseek.com error codes (read 2026-11). While a request is queued it sends empty lines or
comments; in tool loops `reasoning_content` must be sent back; it has JSON mode but no JSON schema.
"""

from adapters.dialects.openai.quirks import Quirks
from adapters.providers.entry import Entry
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="deepseek",
        kind="openai",
        name="DeepSeek",
        base_url="https://api.deepseek.com/v1",
        env=("DEEPSEEK_API_KEY",),
        priority=210,
        default_model="deepseek-chat",
        models=("deepseek-chat", "deepseek-reasoner"),
        free_tier="none",
        key_url="https://platform.deepseek.com/api_keys",
    ),
    Quirks(
        max_tokens_field="max_tokens",
        drop=frozenset({"logit_bias", "store", "metadata", "service_tier", "user"}),
        message_fields=frozenset({"reasoning_content"}),
    ),
)
