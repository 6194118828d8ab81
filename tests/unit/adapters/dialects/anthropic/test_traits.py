"""What a Claude takes, told by its name."""

import pytest

from adapters.dialects.anthropic.traits import traits_of


@pytest.mark.parametrize(
    ("model", "thinking", "samples", "structured", "max_tokens"),
    [
        ("claude-instant-1.2", "none", True, False, 4096),
        ("claude-2.1", "none", True, False, 4096),
        ("claude-3-opus-20240229", "none", True, False, 4096),
        ("claude-3-5-sonnet-20241022", "none", True, False, 8192),
        ("claude-3-7-sonnet-20250219", "budget", True, False, 32_000),
        ("claude-sonnet-4-20250514", "budget", True, False, 32_000),
        ("claude-opus-4-1-20250805", "budget", True, False, 32_000),
        ("anthropic.claude-haiku-4-5-20251001-v1:0", "budget", True, True, 32_000),
        ("claude-sonnet-4-5@20250929", "budget", True, True, 32_000),
        ("claude-opus-4-6", "adaptive", True, True, 32_000),
        ("eu.anthropic.claude-opus-4-7-v1", "adaptive", False, True, 32_000),
        ("claude-opus-5", "adaptive", False, True, 32_000),
        ("claude-5.5-haiku", "adaptive", False, True, 32_000),
        ("claude-fable-5-1", "adaptive", False, True, 32_000),
        ("claude-mythos-preview", "adaptive", False, True, 32_000),
        ("claude-latest", "adaptive", False, True, 32_000),
        ("MiniMax-M3", "budget", True, False, 8192),
    ],
)
def test_a_generation_is_known_by_its_name(
    model: str, thinking: str, samples: bool, structured: bool, max_tokens: int
) -> None:
    traits = traits_of(model)

    assert (traits.thinking, traits.samples, traits.structured, traits.max_tokens) == (
        thinking,
        samples,
        structured,
        max_tokens,
    )


@pytest.mark.parametrize("model", ["claude-fable-5", "claude-mythos-5-2", "claude-mythos-preview"])
def test_some_cannot_help_thinking(model: str) -> None:
    assert traits_of(model).always_thinks
    assert not traits_of(model).disables_thinking


@pytest.mark.parametrize(("model", "both"), [("claude-opus-4-20250514", True), ("claude-opus-4-1-20250805", False)])
def test_newer_ones_take_one_sampler(model: str, both: bool) -> None:
    assert traits_of(model).both_samplers is both
