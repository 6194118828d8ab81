"""Amazon Bedrock as a kind: what is known of it before any of its code is loaded."""

from typing import Final

from adapters.providers.entry import Entry
from adapters.providers.kind import Code, Kind
from domain.providers import ProviderPreset

NO_REGION: Final = "https://bedrock-runtime.amazonaws.com"
"""The preset's address: its region is filled in from the settings or the environment."""

ENTRY: Final = Entry(
    ProviderPreset(
        id="bedrock",
        kind="bedrock",
        name="Amazon Bedrock",
        base_url=NO_REGION,
        env=("AWS_BEARER_TOKEN_BEDROCK",),
        ambient=("AWS_ACCESS_KEY_ID",),
        priority=360,
        requires_key=False,
        default_model="global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        key_url="https://console.aws.amazon.com/bedrock/home#/api-keys",
    ),
    version_path="",
)


def _code() -> Code:
    from adapters.providers.bedrock import adapter

    return Code(build=adapter.build, fidelity=adapter.fidelity)


KIND: Final = Kind(
    id="bedrock",
    name="Amazon Bedrock",
    code=_code,
    endpoints=("chat.completions", "embeddings", "images.generations", "models"),
    entries=(ENTRY,),
    unknown=ENTRY,
)
