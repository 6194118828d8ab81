"""Hugging Face Inference Providers: a router in front of many hosts.

Source: huggingface_hub 1.33 and 2.4, hub-docs pricing (read 2026-11). An error is a string; a spent month is a
402; a model that is loading says so with 503 and `estimated_time`.
"""

from adapters.dialects.openai.quirks import Quirks
from adapters.providers.entry import Entry
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="huggingface",
        kind="openai",
        name="Hugging Face Inference Providers",
        base_url="https://router.huggingface.co/v1",
        env=("HF_TOKEN", "HUGGINGFACEHUB_API_TOKEN", "HUGGING_FACE_HUB_TOKEN"),
        priority=150,
        default_model="openai/gpt-oss-120b",
        free_tier="0.10 USD of credit a month",
        key_url="https://huggingface.co/settings/tokens",
    ),
    Quirks(max_tokens_field="max_tokens", quota_resets="month"),
)
