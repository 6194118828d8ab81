"""What an id tells of its model."""

import pytest

from adapters.dialects.bedrock.families import ThinkingStyle, family_of


@pytest.mark.parametrize(
    ("model", "vendor", "thinking", "structured", "sampling"),
    [
        ("anthropic.claude-3-haiku-20240307-v1:0", "anthropic", "none", False, True),
        ("anthropic.claude-v2:1", "anthropic", "none", False, True),
        ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", "anthropic", "budget", False, True),
        ("eu.anthropic.claude-sonnet-4-20250514-v1:0", "anthropic", "budget", False, True),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic", "budget", True, True),
        ("us.anthropic.claude-opus-4-6-v1", "anthropic", "adaptive", True, True),
        ("anthropic.claude-opus-5", "anthropic", "adaptive", True, False),
        (
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-4-7",
            "anthropic",
            "adaptive",
            True,
            False,
        ),
        ("amazon.nova-pro-v1:0", "amazon", "none", False, True),
        ("us.amazon.nova-2-lite-v1:0", "amazon", "nova", False, True),
        ("openai.gpt-oss-20b-1:0", "openai", "effort", True, True),
        ("meta.llama3-1-70b-instruct-v1:0", "meta", "none", False, True),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc", "", "none", False, True),
    ],
)
def test_an_id_tells_what_its_model_can(
    model: str, vendor: str, thinking: ThinkingStyle, structured: bool, sampling: bool
) -> None:
    family = family_of(model)

    assert (family.vendor, family.thinking, family.structured, family.sampling) == (
        vendor,
        thinking,
        structured,
        sampling,
    )
