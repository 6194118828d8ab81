"""Perplexity: answers with sources. No tools; no version in its path; no model list.

Source: litellm 1.106 (read 2026-11). Its chunks repeat the whole message beside the delta, with usage in each.
"""

from adapters.dialects.openai.quirks import TEXT_ONLY, Quirks
from adapters.providers.entry import Entry
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="perplexity",
        kind="openai",
        name="Perplexity",
        base_url="https://api.perplexity.ai",
        env=("PERPLEXITY_API_KEY", "PERPLEXITYAI_API_KEY"),
        priority=280,
        default_model="sonar",
        models=("sonar", "sonar-pro", "sonar-reasoning-pro", "sonar-deep-research"),
        free_tier="none",
        key_url="https://www.perplexity.ai/settings/api",
    ),
    Quirks(
        max_tokens_field="max_tokens",
        drop=frozenset({"logit_bias", "logprobs", "top_logprobs", "seed", "user", "store", "metadata"}),
        refused=frozenset({"tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "n"}),
        stream_usage=False,
    ),
    models_path=None,
    version_path="",
    paths={"embeddings": "/v1/embeddings"},
    endpoint_quirks={"embeddings": TEXT_ONLY},
)
