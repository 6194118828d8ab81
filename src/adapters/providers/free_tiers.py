"""What each provider gives away, with the day and the place each fact was read: rows of data, named by providers' rows.

A fact that is looked at again gets a new day even where it did not change. Of `observed` figures the day is that of the
measurement. The documentation site marks what is outdated by the newest day in this file.
"""

from datetime import date
from typing import Final

import msgspec

from domain.free_tiers import Confidence, FreeTier, Quota, Scope

_NOVEMBER: Final = "2026-11-21"


def none(*, as_of: str, source: str, confidence: Confidence = "official", note: str = "") -> FreeTier:
    """Nothing is free there."""
    return FreeTier(kind="none", as_of=date.fromisoformat(as_of), source=source, confidence=confidence, note=note)


def renewing(
    *quotas: Quota,
    as_of: str,
    source: str,
    confidence: Confidence = "official",
    models: tuple[str, ...] = (),
    scope: Scope = "account",
    card_needed: bool | None = None,
    terms: tuple[str, ...] = (),
    note: str = "",
) -> FreeTier:
    """Something that comes again every day, or month."""
    return FreeTier(
        kind="renewing",
        quotas=quotas,
        models=models,
        scope=scope,
        card_needed=card_needed,
        terms=terms,
        note=note,
        as_of=date.fromisoformat(as_of),
        source=source,
        confidence=confidence,
    )


def credit(
    *quotas: Quota,
    as_of: str,
    source: str,
    confidence: Confidence = "official",
    card_needed: bool | None = None,
    note: str = "",
) -> FreeTier:
    """Something that is given once."""
    return FreeTier(
        kind="credit",
        quotas=quotas,
        card_needed=card_needed,
        note=note,
        as_of=date.fromisoformat(as_of),
        source=source,
        confidence=confidence,
    )


def _observed(*quotas: Quota, as_of: str, source: str) -> tuple[Quota, ...]:
    day = date.fromisoformat(as_of)
    return tuple(msgspec.structs.replace(quota, as_of=day, source=source, confidence="observed") for quota in quotas)


UNKNOWN: Final = FreeTier(kind="unknown")
OWN_SERVER: Final = FreeTier(kind="own")

CEREBRAS: Final = credit(
    Quota("usd", 5, "once", pool="account", expires_after_days=30),
    as_of=_NOVEMBER,
    source="https://inference-docs.cerebras.ai/support/change-log",  # the entry of 2026-07-16
    card_needed=True,
    note="no free tier since 2026-08-17",
)

OPENROUTER: Final = renewing(
    Quota("requests", 20, "minute", pool="free models", firm=True),
    Quota("requests", 50, "day", pool="free models", reset="00:00 UTC"),
    as_of=_NOVEMBER,
    source="https://openrouter.ai/docs/api-reference/limits",
    models=("*:free", "openrouter/free"),
    card_needed=False,
    note="1,000 a day once 10 USD were bought; failed calls count",
)

_FLASH: Final = ("gemini-3.8-flash", "gemini-3.6-flash", "gemini-flash-latest")
_FLASH_LITE: Final = ("gemini-3.5-flash-lite", "gemini-3.1-flash-lite", "gemini-flash-lite-latest")

# Which models are free is published, how much of them only inside AI Studio.
GEMINI: Final = renewing(
    *_observed(
        Quota("requests", 5, "minute", models=_FLASH),
        Quota("requests", 20, "day", models=_FLASH, reset="00:00 America/Los_Angeles"),
        Quota("requests", 15, "minute", models=_FLASH_LITE),
        Quota("requests", 500, "day", models=_FLASH_LITE, reset="00:00 America/Los_Angeles"),
        Quota("input_tokens", 250_000, "minute", models=_FLASH_LITE),
        as_of="2026-07-31",
        source="https://aistudio.google.com/rate-limit",
    ),
    as_of=_NOVEMBER,
    source="https://ai.google.dev/gemini-api/docs/rate-limits",
    models=(*_FLASH, *_FLASH_LITE, "gemma-4-*", "gemini-embedding-*"),
    scope="project",
    card_needed=False,
    terms=("free input is used for training",),
    note="linking a billing account ends it",
)

_GROQ_CHAT: Final = ("openai/gpt-oss-*", "qwen/qwen3.6-27b", "qwen/qwen3.8-27b")

GROQ: Final = renewing(
    Quota("requests", 30, "minute", models=_GROQ_CHAT, firm=True),
    Quota("requests", 1_000, "day", models=_GROQ_CHAT, reset="provider", firm=True),
    Quota("tokens", 8_000, "minute", models=_GROQ_CHAT, firm=True),
    Quota("tokens", 200_000, "day", models=_GROQ_CHAT, reset="provider", firm=True),
    Quota("requests", 250, "day", models=("groq/compound*",), reset="provider", firm=True),
    Quota("tokens", 70_000, "minute", models=("groq/compound*",), firm=True),
    Quota("requests", 2_000, "day", models=("whisper-*",), reset="provider", firm=True),
    as_of=_NOVEMBER,
    source="https://console.groq.com/docs/rate-limits",
    models=(*_GROQ_CHAT, "groq/compound*", "whisper-*"),
    card_needed=False,
    note="cached tokens do not count",
)

# The plan is there and its figures are not published; models share pools, of which the usual one was measured.
MISTRAL: Final = renewing(
    *_observed(
        Quota("requests", 1, "second", pool="standard"),
        Quota("tokens", 50_000, "minute", pool="standard"),
        Quota("tokens", 4_000_000, "month", pool="standard"),
        as_of="2026-02-28",
        source="https://admin.mistral.ai/plateforme/limits",
    ),
    as_of=_NOVEMBER,
    source="https://docs.mistral.ai/deployment/laplateforme/tier",
    card_needed=False,
    note="models share pools",
)

SAMBANOVA: Final = renewing(
    Quota("requests", 20, "minute", firm=True),
    Quota("requests", 20, "day", reset="provider", firm=True),
    Quota("tokens", 200_000, "day", reset="provider", firm=True),
    as_of=_NOVEMBER,
    source="https://docs.sambanova.ai/docs/en/models/rate-limits",
    card_needed=False,
)

NVIDIA: Final = renewing(
    Quota("requests", 40, "minute", confidence="observed"),
    as_of=_NOVEMBER,
    source="https://build.nvidia.com",
    card_needed=False,
    terms=("for evaluation only",),
    note="the rate changes with load",
)

CLOUDFLARE: Final = renewing(
    Quota("neurons", 10_000, "day", pool="account", reset="00:00 UTC"),
    as_of=_NOVEMBER,
    source="https://developers.cloudflare.com/workers-ai/platform/pricing/",
    card_needed=False,
    note="the newest large models need billing",
)

HUGGINGFACE: Final = none(
    as_of=_NOVEMBER,
    source="https://huggingface.co/docs/inference-providers/pricing",
    note="2 USD a month come with a PRO account",
)

_ZAI_FREE: Final = ("glm-4.7-flash", "glm-4.5-flash")

ZAI: Final = renewing(
    Quota("parallel", 1, "moment", confidence="observed"),
    as_of=_NOVEMBER,
    source="https://docs.z.ai/guides/overview/pricing",
    models=_ZAI_FREE,
    card_needed=False,
)

COHERE: Final = renewing(
    Quota("requests", 20, "minute", models=("command-*", "c4ai-*")),
    Quota("inputs", 2_000, "minute", models=("embed-*",)),
    Quota("requests", 10, "minute", models=("rerank-*",)),
    Quota("requests", 1_000, "month", pool="account"),
    as_of=_NOVEMBER,
    source="https://docs.cohere.com/docs/rate-limits",
    scope="key",
    card_needed=False,
    terms=("not for production",),
    note="with a trial key",
)

GITHUB_MODELS: Final = FreeTier(
    kind="ended",
    note="the service was retired on 2026-07-30",
    as_of=date.fromisoformat(_NOVEMBER),
    source="https://github.com/orgs/community/discussions/203602",
)

VERCEL: Final = renewing(
    Quota("usd", 5, "month", pool="account", reset="rolling"),
    as_of=_NOVEMBER,
    source="https://vercel.com/docs/ai-gateway/pricing",
    note="every 30 days",
)

OLLAMA_CLOUD: Final = renewing(
    Quota("usage", None, "5h", pool="account", reset="rolling"),
    Quota("usage", None, "7d", pool="account", reset="rolling"),
    as_of=_NOVEMBER,
    source="https://ollama.com/pricing",
    card_needed=False,
    note="light use",
)

OPENAI: Final = none(as_of=_NOVEMBER, source="https://developers.openai.com/api/docs/guides/rate-limits")
AZURE: Final = none(
    as_of=_NOVEMBER,
    source="https://azure.microsoft.com/pricing/details/cognitive-services/openai-service/",
    confidence="secondhand",
)
ANTHROPIC: Final = none(as_of=_NOVEMBER, source="https://platform.claude.com/docs/en/api/rate-limits")
BEDROCK: Final = none(as_of=_NOVEMBER, source="https://aws.amazon.com/bedrock/pricing/", confidence="secondhand")
VERTEX: Final = none(
    as_of=_NOVEMBER, source="https://cloud.google.com/vertex-ai/generative-ai/pricing", confidence="secondhand"
)
DEEPSEEK: Final = none(as_of=_NOVEMBER, source="https://api-docs.deepseek.com/quick_start/pricing")

# What follows is told by others' code (litellm 1.106.2), and not by pages of the providers that were read.
_OTHERS: Final = "https://github.com/BerriAI/litellm"

XAI: Final = none(as_of=_NOVEMBER, source=_OTHERS, confidence="secondhand", note="credits now and then")
TOGETHER: Final = renewing(
    Quota("requests", 6, "minute"),
    as_of=_NOVEMBER,
    source=_OTHERS,
    confidence="secondhand",
    models=("*-Free",),
)
FIREWORKS: Final = credit(
    Quota("usd", 1, "once", pool="account"),
    as_of=_NOVEMBER,
    source="https://docs.fireworks.ai/guides/quotas_usage/rate-limits",
    confidence="secondhand",
    card_needed=False,
    note="10 requests a minute without a card",
)
DEEPINFRA: Final = none(as_of=_NOVEMBER, source=_OTHERS, confidence="secondhand")
MOONSHOT: Final = none(
    as_of=_NOVEMBER, source=_OTHERS, confidence="secondhand", note="3 requests a minute until a first payment"
)
DASHSCOPE: Final = credit(
    Quota("tokens", 1_000_000, "once", expires_after_days=90),
    as_of=_NOVEMBER,
    source=_OTHERS,
    confidence="secondhand",
)
PERPLEXITY: Final = none(as_of=_NOVEMBER, source=_OTHERS, confidence="secondhand")
NEBIUS: Final = credit(
    Quota("usd", 1, "once", pool="account"), as_of=_NOVEMBER, source=_OTHERS, confidence="secondhand"
)
HYPERBOLIC: Final = none(
    as_of=_NOVEMBER, source=_OTHERS, confidence="secondhand", note="60 requests a minute on the basic plan"
)
NOVITA: Final = none(as_of=_NOVEMBER, source=_OTHERS, confidence="secondhand", note="rates grow with what was paid")
SIMULATED: Final = FreeTier(kind="own", note="not a real provider")
VOYAGE: Final = credit(
    Quota("tokens", 200_000_000, "once", pool="account"),
    as_of=_NOVEMBER,
    source="https://docs.voyageai.com/docs/pricing",
    confidence="secondhand",
)
JINA: Final = credit(
    Quota("tokens", 10_000_000, "once", pool="account"),
    as_of=_NOVEMBER,
    source="https://jina.ai/reranker",
    confidence="secondhand",
)
