"""How much a Gemini thinks, from OpenAI's `reasoning_effort`.

Source: ai.google.dev thinking and OpenAI compatibility (read 2026-11): budgets of tokens for 2.5, levels from 3 on,
never both; what cannot be switched off is set as low as it goes.
"""

from typing import Final

from adapters.dialects.gemini.settings import generation

_BUDGETS: Final = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 24576, "max": 24576}
_LEVELS: Final = {
    "none": "MINIMAL",
    "minimal": "MINIMAL",
    "low": "LOW",
    "medium": "MEDIUM",
    "high": "HIGH",
    "xhigh": "HIGH",
    "max": "HIGH",
}
_SMALLEST_PRO_BUDGET: Final = 128
_MEDIUM_IN_PRO_FROM: Final = 3.1


def thinking_config(model: str, effort: str) -> dict[str, object] | None:
    """None where the model does not think, or the word is none of OpenAI's."""
    made, pro = generation(model), "-pro" in model
    if made < 2.5 or effort not in _BUDGETS:
        return None
    told: dict[str, object] = {"includeThoughts": True} if effort != "none" else {}
    if made < 3:
        budget = _BUDGETS[effort]
        return {**told, "thinkingBudget": max(budget, _SMALLEST_PRO_BUDGET) if pro else budget}
    level = _LEVELS[effort]
    if pro and level == "MINIMAL":
        level = "LOW"
    elif pro and level == "MEDIUM" and made < _MEDIUM_IN_PRO_FROM:
        level = "HIGH"
    return {**told, "thinkingLevel": level}
