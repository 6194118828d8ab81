"""Decides how much a model thinks, from OpenAI's `reasoning_effort` and the model's generation.

Source: platform.claude.com extended thinking, adaptive thinking, effort (read 2026-11). A forced tool call and
calls in the history that were made without thoughts rule a thinking budget out.
"""

from typing import Final

import msgspec

from adapters.dialects.anthropic.traits import Traits

MIN_BUDGET_TOKENS: Final = 1024

_BUDGETS: Final = {"minimal": 1024, "low": 1024, "medium": 4096, "high": 16_384, "xhigh": 32_768, "max": 32_768}
_EFFORTS: Final = frozenset({"low", "medium", "high", "xhigh", "max"})


class Thinking(msgspec.Struct, frozen=True):
    """What is sent as `thinking` and as `output_config.effort`. `kept` is False where the wish is lost."""

    thinking: dict[str, object] | None = None
    effort: str | None = None
    kept: bool = True

    @property
    def active(self) -> bool:
        return self.thinking is not None and self.thinking["type"] != "disabled"


def think(effort: str | None, traits: Traits, max_tokens: int, *, forced_call: bool, thoughtless: bool) -> Thinking:
    """What the effort asked for becomes. Of an unknown effort nothing is sent, and it counts as lost."""
    if effort is None:
        return Thinking()
    if effort == "none":
        return _without(traits)
    if effort not in _BUDGETS or traits.thinking == "none":
        return Thinking(kept=False)
    if traits.thinking == "adaptive":
        return _adaptive(effort, traits, forced_call=forced_call)
    budget = min(_BUDGETS[effort], max_tokens - max_tokens // 4)
    if forced_call or thoughtless or budget < MIN_BUDGET_TOKENS:
        return Thinking(kept=False)
    return Thinking({"type": "enabled", "budget_tokens": budget})


def _without(traits: Traits) -> Thinking:
    if traits.always_thinks:
        return Thinking(kept=False)
    return Thinking({"type": "disabled"} if traits.disables_thinking else None)


def _adaptive(effort: str, traits: Traits, *, forced_call: bool) -> Thinking:
    """Newer models leave their thoughts out of the answer unless a summary is asked for. A forced call rules
    thoughts out, and keeps the effort.
    """
    told = effort if effort in _EFFORTS else "low"
    if told == "xhigh" and not traits.xhigh_effort:
        told = "high"
    if forced_call:
        return Thinking(None, told)
    shown = {"display": "summarized"} if traits.hides_thoughts else {}
    return Thinking({"type": "adaptive", **shown}, told)
