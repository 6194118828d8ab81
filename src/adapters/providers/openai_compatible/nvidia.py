"""NVIDIA NIM (build.nvidia.com): open models at a free rate.

Source: litellm, promptfoo docs (read 2026-11). Which fields a model knows varies; a cold model may answer 202
or 404, and neither is waited for.
"""

from adapters.dialects.openai.quirks import TEXT_ONLY, Quirks
from adapters.providers.entry import Entry, also
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="nvidia",
        kind="openai",
        name="NVIDIA NIM",
        base_url="https://integrate.api.nvidia.com/v1",
        env=("NVIDIA_API_KEY", "NVIDIA_NIM_API_KEY"),
        priority=130,
        default_model="openai/gpt-oss-120b",
        free_tier="about 40 requests a minute",
        key_url="https://build.nvidia.com",
    ),
    Quirks(
        max_tokens_field="max_tokens",
        drop=frozenset({"store", "metadata", "service_tier", "user", "logit_bias", "parallel_tool_calls"}),
    ),
    paths=also("completions", "embeddings"),
    endpoint_quirks={"embeddings": TEXT_ONLY},
)
