"""The simulated upstream of `omg simulate` and `omg serve --demo`: OpenAI's format, faults on demand."""

from adapters.dialects.openai.quirks import REASONING_FIELDS, Quirks
from adapters.providers.entry import Entry, also
from adapters.wire.limit_headers import openai_limit_headers
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="simulated",
        kind="simulated",
        name="Simulated upstream",
        base_url="",
        env=(),
        priority=900,
        requires_key=False,
        free_tier="not a real provider",
    ),
    Quirks(
        developer_role=True,
        message_fields=frozenset(REASONING_FIELDS),
        limits=openai_limit_headers(),
    ),
    paths=also(
        "completions",
        "embeddings",
        "images.generations",
        "audio.speech",
        "audio.transcriptions",
        "moderations",
        "responses",
    ),
)
