"""Vertex AI as a kind: what is known of it before any of its code is loaded."""

from typing import Final

import msgspec

from adapters.providers.entry import Entry
from adapters.providers.kind import Code, Kind
from domain.providers import ProviderPreset

PUBLIC_HOST: Final = "aiplatform.googleapis.com"

ENTRY: Final = Entry(
    ProviderPreset(
        id="vertex",
        kind="vertex",
        name="Google Vertex AI",
        base_url=f"https://{PUBLIC_HOST}/v1",
        env=("VERTEX_CREDENTIALS",),
        priority=225,
        requires_key=False,
        models=("gemini-2.5-pro", "gemini-2.5-flash", "gemini-embedding-001", "claude-sonnet-4-5@20250929"),
        free_tier="none",
        key_url="https://console.cloud.google.com/iam-admin/serviceaccounts",
    )
)


def _code() -> Code:
    from adapters.providers.vertex import adapter

    return Code(build=adapter.build, fidelity=adapter.fidelity)


KIND: Final = Kind(
    id="vertex",
    name="Vertex AI",
    code=_code,
    endpoints=("chat.completions", "embeddings", "images.generations", "models"),
    entries=(ENTRY,),
    unknown=msgspec.structs.replace(
        ENTRY, preset=msgspec.structs.replace(ENTRY.preset, default_model="gemini-2.5-flash", requires_key=True)
    ),
)
