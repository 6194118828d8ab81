"""The Gemini API as a kind: what is known of it before any of its code is loaded."""

from typing import Final

from adapters.providers.entry import Entry
from adapters.providers.kind import Code, Kind
from domain.providers import ProviderPreset

ENTRY: Final = Entry(
    ProviderPreset(
        id="gemini",
        kind="gemini",
        name="Google Gemini",
        base_url="https://generativelanguage.googleapis.com/v1beta",
        env=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        priority=30,
        default_model="gemini-flash-latest",
        models=("gemini-flash-latest",),
        free_tier="per project and model, about 5 to 15 requests a minute and 20 to 500 a day",
        key_url="https://aistudio.google.com/apikey",
    ),
    version_path="/v1beta",
)


def _code() -> Code:
    from adapters.providers.gemini import adapter

    return Code(build=adapter.build, fidelity=adapter.fidelity)


KIND: Final = Kind(
    id="gemini",
    name="Gemini API",
    code=_code,
    endpoints=("chat.completions", "embeddings", "images.generations", "models"),
    entries=(ENTRY,),
    unknown=ENTRY,
)
