"""The facts about free tiers: each has a day and a source, and they say what is free in November 2026."""

import re
from urllib.parse import urlsplit

import pytest

from adapters.providers.kind import Entry, Hosted, OptIn
from adapters.providers.kinds import ENTRIES
from domain.free_tiers import FreeTier, Quota, worth_trying
from tests.architecture.tree import ROOT
from tests.unit.adapters.providers.page import newest_fact

README = ROOT / "README.md"
TIERS = {entry.id: entry.preset.free_tier for entry in ENTRIES}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_every_fact_has_a_day_and_a_source(entry: Entry) -> None:
    tier = entry.preset.free_tier

    if isinstance(entry, Hosted | OptIn):
        assert tier.kind not in {"own", "unknown"}
    if tier.kind in {"own", "unknown"}:
        assert tier == FreeTier(kind=tier.kind, note=tier.note)
        return
    facts = [(tier.as_of, tier.source), *((quota.as_of, quota.source) for quota in tier.resolved())]
    for as_of, source in facts:
        assert as_of is not None
        assert urlsplit(source or "").scheme == "https"


@pytest.mark.parametrize("provider_id", TIERS)
def test_the_kind_of_a_tier_agrees_with_its_quotas(provider_id: str) -> None:
    tier = TIERS[provider_id]
    windows = {quota.window for quota in tier.quotas}

    assert ("once" in windows) is (tier.kind == "credit")
    assert bool(windows - {"once"}) is (tier.kind == "renewing")
    for quota in tier.quotas:
        assert (quota.dimension == "parallel") is (quota.window == "moment")
        assert quota.expires_after_days is None or quota.window == "once"
        assert quota.limit is None or quota.limit > 0


def sizes(quotas: tuple[Quota, ...]) -> list[tuple[str, int | None, str]]:
    return [(quota.dimension, quota.limit, quota.window) for quota in quotas]


@pytest.mark.parametrize(
    ("provider_id", "model", "expected"),
    [
        (
            "groq",
            "openai/gpt-oss-120b",
            [
                ("requests", 30, "minute"),
                ("requests", 1_000, "day"),
                ("tokens", 8_000, "minute"),
                ("tokens", 200_000, "day"),
            ],
        ),
        ("groq", "groq/compound", [("requests", 250, "day"), ("tokens", 70_000, "minute")]),
        ("groq", "llama-3.3-70b-versatile", []),
        (
            "sambanova",
            "gpt-oss-120b",
            [("requests", 20, "minute"), ("requests", 20, "day"), ("tokens", 200_000, "day")],
        ),
        ("openrouter", "z-ai/glm-4.5-air:free", [("requests", 20, "minute"), ("requests", 50, "day")]),
        ("openrouter", "openai/gpt-6-astra", []),
        (
            "mistral",
            "mistral-small-latest",
            [("requests", 1, "second"), ("tokens", 50_000, "minute"), ("tokens", 4_000_000, "month")],
        ),
        ("cohere", "command-a-03-2025", [("requests", 20, "minute"), ("requests", 1_000, "month")]),
        ("cloudflare", "@cf/openai/gpt-oss-120b", [("neurons", 10_000, "day")]),
        ("gemini", "gemini-4-argon", []),
        ("cerebras", "gpt-oss-120b", [("usd", 5, "once")]),
        ("huggingface", "openai/gpt-oss-120b", []),
        ("deepseek", "deepseek-v4-flash", []),
        ("zai", "glm-4.7-flash", [("parallel", 1, "moment")]),
    ],
)
def test_a_free_model_counts_against_these_quotas(
    provider_id: str, model: str, expected: list[tuple[str, int | None, str]]
) -> None:
    assert sizes(TIERS[provider_id].quotas_of(model)) == expected


def test_mistrals_models_share_a_pool_and_groqs_do_not() -> None:
    assert {quota.pool for quota in TIERS["mistral"].quotas} == {"standard"}
    assert {quota.pool for quota in TIERS["groq"].quotas} == {None}


def test_cerebras_has_a_credit_that_expires_and_wants_a_card() -> None:
    tier = TIERS["cerebras"]

    assert (tier.kind, tier.card_needed, tier.quotas[0].expires_after_days) == ("credit", True, 30)


def test_the_order_of_the_providers_is_not_that_of_what_is_recommended() -> None:
    order = sorted(ENTRIES, key=lambda entry: entry.priority)
    found = worth_trying(((entry.id, entry.preset.free_tier) for entry in order), newest_fact(), 4)

    assert [entry.id for entry in order][:3] == ["cerebras", "openrouter", "gemini"]
    assert found == ["openrouter", "gemini", "groq", "mistral"]


def test_the_readme_recommends_what_is_free_at_the_newest_facts_day() -> None:
    order = sorted((entry for entry in ENTRIES if entry.preset.env), key=lambda entry: entry.priority)
    variables = {entry.id: entry.preset.env[0] for entry in order}
    found = worth_trying(((entry.id, entry.preset.free_tier) for entry in order), newest_fact(), 4)
    line = next(line for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("export "))

    assert re.findall(r"[A-Z]+_API_KEY", line) == [variables[provider_id] for provider_id in found]


def test_the_default_model_of_a_provider_with_a_free_tier_is_free() -> None:
    for entry in ENTRIES:
        preset = entry.preset
        if preset.free_tier.kind == "renewing" and preset.default_model:
            assert preset.free_tier.quotas_of(preset.default_model), entry.id
