"""What a key's patterns allow (contract 8)."""

import pytest

from application.admission.access import allows, check_grants, check_patterns
from domain.errors import RequestInvalid
from domain.grants import Grants, Patterns
from domain.keys import Principal

# each row: patterns, provider, model, and whether it is allowed
ROWS = [
    (["gpt-4o"], "openai", "gpt-4o", True),
    (["gpt-4o"], "openai", "gpt-4o-mini", False),
    (["openai/gpt-4o"], "openai", "gpt-4o", True),
    (["openai/gpt-4o"], "azure", "gpt-4o", False),
    (["openai/gpt-4o"], "openrouter", "openai/gpt-4o", True),
    (["gpt-4o*"], "openai", "gpt-4o-mini", True),
    (["openai/*"], "openai", "gpt-4o", True),
    (["openai/*"], "groq", "llama", False),
    (["openrouter/*"], "openrouter", "openai/gpt-4o", True),
    (["*:free"], "openrouter", "deepseek/deepseek-r1:free", True),
    (["*:free"], "openrouter", "deepseek/deepseek-r1", False),
    (["openrouter/*:free"], "openrouter", "deepseek/deepseek-r1:free", True),
    (["openrouter/*:free"], "other", "deepseek/deepseek-r1:free", False),
    (["*"], "any", "thing", True),
    (["*/llama-*-8b"], "groq", "llama-3.1-8b", True),
    (["*llama*8b*"], "groq", "llama-3.1-8b-instant", True),
    (["aba*aba"], "p", "aba", False),
    (["openai/*", "!openai/*-pro"], "openai", "gpt-5-pro", False),
    (["openai/*", "!openai/*-pro"], "openai", "gpt-5", True),
    (["!openai/*-pro", "openai/*"], "openai", "gpt-5-pro", False),
    (["!openai/*-pro"], "openai", "gpt-5-pro", False),
    (["!openai/*-pro"], "openai", "gpt-5", True),
    (["!openai/*-pro"], "groq", "x-pro", True),
    (["!gpt-5"], "openai", "gpt-5", False),
    (["*", "!*:free"], "openrouter", "a/b:free", False),
    ([], "openai", "gpt-4o", False),
    (["gpt.4o"], "openai", "gpt-4o", False),
    (["gpt-4[o]"], "openai", "gpt-4o", False),
    (["GPT-4o"], "openai", "gpt-4o", False),
]


@pytest.mark.parametrize(("patterns", "provider", "model", "allowed"), ROWS)
def test_a_model_is_held_against_its_own_id_and_with_its_provider(
    patterns: list[str], provider: str, model: str, allowed: bool
) -> None:
    principal = Principal("virtual_key", "key_1", "ten", Grants(models=(Patterns(patterns),)))

    assert allows(principal, provider, model) is allowed


@pytest.mark.parametrize(
    ("patterns", "allowed"),
    [(["openai"], True), (["open*"], True), (["!openai"], False), (["!groq"], True), (["groq"], False), ([], False)],
)
def test_a_provider_is_held_against_its_id(patterns: list[str], allowed: bool) -> None:
    principal = Principal("virtual_key", "key_1", "ten", Grants(providers=(Patterns(patterns),)))

    assert allows(principal, "openai", "gpt-4o") is allowed


def test_a_long_pattern_costs_no_more_than_its_length() -> None:
    """A regular expression would try every way to divide the name."""
    assert not Patterns(["*a" * 250 + "b"]).match("a" * 512)
    assert Patterns(["*a" * 250 + "*b"]).match("a" * 511 + "b")


@pytest.mark.parametrize(
    "entry",
    [
        *("!", "", "!!gpt", "@", "!@Fast", "gpt 4o", "gpt\n", "\x00", "openai/", " gpt", "gpt "),
        *(
            "gpt-4o,gpt-5",
            "gpt-?",
            "gpt-[45]",
            "{a,b}",
            "^gpt",
            "gpt$",
            "a|b",
            "gpt\\d",
            ".*",
            "openai/.*",
            '"gpt"',
            "a;b",
        ),
    ],
)
def test_what_could_match_nothing_is_refused_by_its_place(entry: str) -> None:
    with pytest.raises(RequestInvalid) as caught:
        check_patterns(["gpt-4o", entry], "allowed_models")

    assert caught.value.param == "allowed_models.1"


@pytest.mark.parametrize(
    "entries",
    [
        None,
        [],
        [
            "*",
            "a/*",
            "!a/*-pro",
            "@cf/meta/llama:free",
            "!@cf/*",
            "gpt-4.*",
            "/models/*.gguf",
            "arn:aws:x:1:y/z",
            "ft:gpt::id",
        ],
    ],
)
def test_patterns_are_taken(entries: list[str] | None) -> None:
    check_patterns(entries, "allowed_models")


@pytest.mark.parametrize("entry", ["openai/*", "OpenAI", "open.ai", "openai/gpt-4o"])
def test_what_is_no_id_of_a_provider_is_refused(entry: str) -> None:
    with pytest.raises(RequestInvalid) as caught:
        check_grants(None, ["openai", entry])

    assert caught.value.param == "allowed_providers.1"
