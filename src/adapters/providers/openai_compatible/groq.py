"""GroqCloud: open models, with a free tier per organization and model.

Source: console.groq.com/docs/rate-limits, groq 1.7.0 (read 2026-11). The request headers count the day, the
token headers the minute; usage may come in `x_groq.usage`, a stream's error in `x_groq.error`.
"""

from adapters.dialects.openai.quirks import Quirks
from adapters.providers.entry import Entry, also
from adapters.wire.limit_headers import openai_limit_headers
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="groq",
        kind="openai",
        name="GroqCloud",
        base_url="https://api.groq.com/openai/v1",
        env=("GROQ_API_KEY",),
        priority=100,
        default_model="openai/gpt-oss-120b",
        models=("openai/gpt-oss-120b", "openai/gpt-oss-20b", "llama-3.3-70b-versatile", "llama-3.1-8b-instant"),
        free_tier="30 requests a minute and about 1,000 a day, per model",
        key_url="https://console.groq.com/keys",
    ),
    Quirks(
        max_tokens_field="max_completion_tokens",
        drop=frozenset({"logprobs", "top_logprobs", "logit_bias", "store", "metadata", "safety_identifier"}),
        refused=frozenset({"n"}),
        message_names=False,
        message_fields=frozenset({"reasoning"}),
        quota_resets="day",
        limits=openai_limit_headers(requests_window="day"),
    ),
    paths=also("audio.speech", "audio.transcriptions", "responses"),
)
