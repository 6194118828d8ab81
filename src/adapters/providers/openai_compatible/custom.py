"""Any other OpenAI-compatible base URL: nothing is known of it, so everything is passed on.

Rate-limit headers are read by OpenAI's names, in whatever format they come.
"""

from adapters.dialects.openai.quirks import REASONING_FIELDS, Quirks
from adapters.providers.entry import Entry, also
from adapters.wire.limit_headers import openai_limit_headers
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="custom",
        kind="openai",
        name="Any OpenAI-compatible URL",
        base_url="",
        env=(),
        priority=500,
    ),
    Quirks(
        message_fields=frozenset(REASONING_FIELDS),
        limits=openai_limit_headers(),
    ),
    paths=also(
        "completions", "embeddings", "images.generations", "audio.speech", "audio.transcriptions", "moderations"
    ),
)
