"""GitHub Models, retired on 2026-07-30: kept for installations that still answer, never switched on by itself.

Source: github orgs/community discussion 203602 (read 2026-11). `GITHUB_TOKEN` lies in many environments for
other reasons, and must not be sent to a host that serves nothing.
"""

from adapters.dialects.openai.quirks import TEXT_ONLY, Quirks
from adapters.providers.entry import Entry, also
from adapters.wire.limit_headers import openai_limit_headers
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="github_models",
        kind="openai",
        name="GitHub Models (retired)",
        base_url="https://models.github.ai/inference",
        env=(),
        priority=170,
        free_tier="retired",
    ),
    Quirks(max_tokens_field="max_tokens", quota_resets="day", limits=openai_limit_headers()),
    models_path="/../catalog/models",
    version_path="",
    headers=(("x-github-api-version", "2022-11-28"),),
    paths=also("embeddings"),
    endpoint_quirks={"embeddings": TEXT_ONLY},
)
