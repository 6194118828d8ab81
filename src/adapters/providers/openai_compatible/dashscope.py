"""Alibaba Model Studio (Qwen), international endpoint.

Source: litellm 1.106 (read 2026-11). Some thinking models answer streams only.
"""

from adapters.dialects.openai.quirks import TEXT_ONLY, Quirks
from adapters.providers.entry import Entry, also
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="dashscope",
        kind="openai",
        name="Alibaba Model Studio",
        base_url="https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        env=("DASHSCOPE_API_KEY",),
        priority=270,
        free_tier="1,000,000 tokens per model, for 90 days",
        key_url="https://modelstudio.console.alibabacloud.com",
    ),
    Quirks(max_tokens_field="max_tokens"),
    paths=also("completions", "embeddings"),
    endpoint_quirks={"embeddings": TEXT_ONLY},
)
