"""Hugging Face as a kind: what is known of it before any of its code is loaded."""

from typing import Final

from adapters.dialects.openai.quirks import TEXT_ONLY, Quirks
from adapters.providers.entry import Entry, also
from adapters.providers.kind import Code, Kind
from domain.providers import ProviderPreset

ENTRY: Final = Entry(
    ProviderPreset(
        id="huggingface",
        kind="huggingface",
        name="Hugging Face Inference Providers",
        base_url="https://router.huggingface.co/v1",
        env=("HF_TOKEN", "HUGGINGFACEHUB_API_TOKEN", "HUGGING_FACE_HUB_TOKEN"),
        priority=150,
        default_model="openai/gpt-oss-120b",
        free_tier="0.10 USD of credit a month",
        key_url="https://huggingface.co/settings/tokens",
    ),
    Quirks(max_tokens_field="max_tokens", quota_resets="month"),
    paths=also("responses"),
    endpoint_quirks={"embeddings": TEXT_ONLY},
)


def _code() -> Code:
    from adapters.providers.huggingface import adapter

    return Code(build=adapter.build, fidelity=adapter.fidelity)


KIND: Final = Kind(
    id="huggingface",
    name="Hugging Face",
    code=_code,
    endpoints=("chat.completions", "embeddings", "images.generations", "audio.transcriptions", "responses", "models"),
    entries=(ENTRY,),
    unknown=ENTRY,
)
