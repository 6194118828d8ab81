"""Azure OpenAI as a kind: what is known of it before any of its code is loaded."""

from typing import Final

from adapters.dialects.openai.quirks import Quirks
from adapters.providers.entry import Entry, also
from adapters.providers.kind import Code, Kind
from adapters.wire.limit_headers import openai_limit_headers
from domain.providers import ProviderPreset

ENTRY: Final = Entry(
    ProviderPreset(
        id="azure",
        kind="azure",
        name="Azure OpenAI",
        base_url="",
        env=("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN", "AZURE_OPENAI_ENDPOINT"),
        priority=205,
        free_tier="none",
        key_url="https://portal.azure.com",
    ),
    Quirks(
        developer_role=True,
        error_kinds={"DeploymentNotFound": "model_absent", "content_filter": "client_fault"},
        limits=openai_limit_headers(requests_window="minute"),
    ),
    version_path="",
    paths=also("completions", "embeddings", "images.generations", "audio.speech", "audio.transcriptions", "responses"),
)


def _code() -> Code:
    from adapters.providers.azure import adapter
    from adapters.providers.openai_compatible.adapter import fidelity

    return Code(build=adapter.build, fidelity=fidelity)


KIND: Final = Kind(
    id="azure",
    name="Azure OpenAI",
    code=_code,
    endpoints=("chat.completions", *ENTRY.paths, "models"),
    entries=(ENTRY,),
    unknown=ENTRY,
)
