"""What a model can do, as Anthropic's clients read it: by a Claude's generation, and what is carried to others."""

from typing import Any, cast

import pytest

from domain.anthropic_models import model_info, model_page
from domain.models import Model
from tests.unit.adapters.dialects.anthropic.samples import validator


def capabilities(name: str) -> dict[str, Any]:
    info = model_info(Model(name))
    validator("anthropic.model_info").validate(info)
    return cast(dict[str, Any], info["capabilities"])


@pytest.mark.parametrize(
    ("name", "enabled", "adaptive", "disabled", "xhigh"),
    [
        ("claude-3-5-haiku-20241022", False, False, True, False),
        ("claude-sonnet-4-5", True, False, True, False),
        ("anthropic/claude-opus-4-6", True, True, True, False),
        ("us.anthropic.claude-sonnet-5-v1:0", False, True, True, True),
        ("claude-fable-5-1", False, True, False, True),
        ("claude-next", False, True, True, True),
    ],
)
def test_how_a_claude_thinks_goes_by_its_generation(
    name: str, enabled: bool, adaptive: bool, disabled: bool, xhigh: bool
) -> None:
    able = capabilities(name)

    types = {kind: can["supported"] for kind, can in able["thinking"]["types"].items()}
    assert (types["enabled"], types["adaptive"], types["disabled"]) == (enabled, adaptive, disabled)
    assert able["effort"]["xhigh"]["supported"] is xhigh
    assert able["pdf_input"]["supported"]


@pytest.mark.parametrize("name", ["auto", "groq/openai/gpt-oss-120b", "gemini-3-pro"])
def test_of_another_model_is_told_what_is_carried_to_it(name: str) -> None:
    able = capabilities(name)

    assert able["image_input"]["supported"]
    assert able["structured_outputs"]["supported"]
    assert not able["thinking"]["supported"]
    assert not able["server_tools"]["supported"]


def test_the_page_is_whole() -> None:
    page = model_page([Model("a"), Model("b")])

    assert (page["first_id"], page["last_id"], page["has_more"]) == ("a", "b", False)
    assert model_page([])["data"] == []
