"""No page and no code shows a model that is gone, or soon will be, as of the day on which its facts were gone through.

The day is `as_of` of `adapters/lifecycle/retirements.json`, never the day of the test: time alone breaks nothing.
"""

import re
from collections.abc import Iterator

import pytest

from tests.architecture.tree import files, name_of, text_of
from tests.unit.adapters.lifecycle.test_retirements import SHIPPED, gone

SPELL_THEIR_OWN = {"anthropic", "cerebras", "deepseek", "gemini", "groq", "mistral", "moonshot", "openai", "xai"}
"""Providers whose ids name one model wherever they stand; those of others do with the provider before them."""

SHOWN = {"README.md", "SECURITY.md", "src", "docs", "deploy", "bench"}
TEXTS = {".css", ".html", ".js", ".json", ".md", ".py", ".svelte", ".ts", ".tsx", ".yaml", ".yml"}
NOT_EXAMPLES = {
    "CHANGELOG.md": "history",
    "docs/refusals.md": "bodies that providers really sent",
    "src/adapters/lifecycle/retirements.json": "the facts themselves",
    "src/adapters/lifecycle/strengths.json": "models are compared as long as anybody may still name them",
    "src/adapters/prices/catalog.json": "prices of old usage are still asked for",
}


def pages_and_code() -> Iterator[tuple[str, str]]:
    """Every file that may show an example, by name, with what it says."""
    for path in files():
        name = name_of(path)
        if (
            name.split("/")[0] in SHOWN
            and path.suffix in TEXTS
            and name not in NOT_EXAMPLES
            and (text := text_of(path))
        ):
            yield name, text


def spellings() -> set[str]:
    """Every id that must not be named: bare where it can only mean one model, else behind its provider."""
    ids = set()
    for provider, model in SHIPPED.ends():
        if gone(provider, model):
            unmistakable = provider in SPELL_THEIR_OWN and any(c.isdigit() for c in model)
            ids.add(model if unmistakable or "@" in model or model.endswith(":0") else f"{provider}/{model}")
    return ids


def names_in(token: str) -> Iterator[str]:
    """What a run of characters of ids may mean: `openrouter/openai/x` names `openai/x` and `x` as well."""
    parts = token.rstrip(".:").split("/")
    return ("/".join(parts[start:]) for start in range(len(parts)))


def test_no_page_and_no_code_names_a_model_that_is_gone_or_soon_will_be() -> None:
    forbidden = spellings()
    found = [
        f"{name}:{text.count(chr(10), 0, text.index(token)) + 1}: {token}"
        for name, text in pages_and_code()
        for token in sorted(set(_TOKEN.findall(text)))
        if not forbidden.isdisjoint(names_in(token))
    ]

    assert found == []


@pytest.mark.parametrize(
    ("token", "named"),
    [("openrouter/openai/gpt-5", True), ("gpt-5.", True), ("gpt-5", True), ("gpt-5.1", False), ("my-gpt-5", False)],
)
def test_a_name_is_found_behind_its_provider_and_not_inside_another(token: str, named: bool) -> None:
    assert (not spellings().isdisjoint(names_in(token))) is named


_TOKEN = re.compile(r"[\w@][\w@.:/-]*\d[\w@.:/\\-]*")
