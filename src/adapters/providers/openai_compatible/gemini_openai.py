"""Google Gemini through its OpenAI-compatible endpoint, for who would rather have it than `gemini`, its own API.

Source: ai.google.dev OpenAI compatibility and rate limits (read 2026-11). It sends no rate-limit headers: the
wait is in the error's RetryInfo. An invalid key is a 400; an error body may be an array; its ids in the model
list begin with `models/`; some versions end a tool call with `stop`.
"""

from adapters.dialects.openai.quirks import TEXT_ONLY, Quirks
from adapters.providers.entry import Entry, also
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="gemini-openai",
        kind="openai",
        name="Google Gemini, OpenAI-compatible",
        base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        env=(),
        priority=335,
        default_model="gemini-flash-latest",
        models=("gemini-flash-latest",),
        free_tier="per project and model, about 5 to 15 requests a minute and 20 to 500 a day",
        key_url="https://aistudio.google.com/apikey",
    ),
    Quirks(
        drop=frozenset(
            {
                "logit_bias",
                "logprobs",
                "top_logprobs",
                "seed",
                "frequency_penalty",
                "presence_penalty",
                "user",
                "store",
                "metadata",
                "service_tier",
                "parallel_tool_calls",
                "prediction",
                "verbosity",
                "safety_identifier",
                "prompt_cache_key",
                "prompt_cache_retention",
                "prompt_cache_options",
                "moderation",
            }
        ),
        refused=frozenset({"functions", "function_call"}),
        message_names=False,
        stop_with_tool_calls=True,
    ),
    paths=also("embeddings", "images.generations"),
    endpoint_quirks={"embeddings": TEXT_ONLY},
)
