"""How a model is told to think: `reasoning_effort` and `thinking` as each family of models on Bedrock takes them.

Source: Anthropic's extended and adaptive thinking pages, Amazon Nova 2 user guide (read 2026-11): a budget is at least
1024 and less than the output limit, Claude from 4.7 refuses it; effort stands in `outputConfig`; Nova 2 has
`reasoningConfig`. A turn that calls tools must begin with its signed thoughts where thinking is on.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from adapters.dialects.bedrock.families import Family
from adapters.wire.chat_history import HistoryMessage

_BUDGETS: Final = {"minimal": 1024, "low": 1024, "medium": 4096, "high": 16_384, "xhigh": 32_768, "max": 32_768}
_EFFORTS: Final = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max"}
_NOVA: Final = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}
_GPT_OSS: Final = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}

_decode = msgspec.json.Decoder().decode


class Thinking(msgspec.Struct):
    """`fields` go among the model's own; `on` is whether it then thinks in Claude's way, with Claude's restrictions."""

    fields: dict[str, object] = {}
    effort: str = ""
    budget: int = 0
    on: bool = False
    lost: tuple[str, ...] = ()


def thinking_fields(fields: Mapping[str, msgspec.Raw], family: Family, messages: Sequence[HistoryMessage]) -> Thinking:
    """What the request's own `thinking` says, else what `reasoning_effort` asks for."""
    own = fields.get("thinking")
    if own is not None:
        return _as_given(_decode(own), family)
    wanted = fields.get("reasoning_effort")
    effort = _decode(wanted) if wanted is not None else None
    if not isinstance(effort, str):
        return Thinking()
    if effort == "none":
        return Thinking({"thinking": {"type": "disabled"}}) if family.thinking == "adaptive" else Thinking()
    if effort not in _BUDGETS or family.thinking == "none":
        return Thinking(lost=("reasoning_effort",))
    if family.thinking == "nova":
        return Thinking({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": _NOVA[effort]}})
    if family.thinking == "effort":
        return Thinking({"reasoning_effort": _GPT_OSS[effort]})
    if family.thinking == "adaptive":
        return Thinking({"thinking": {"type": "adaptive"}}, effort=_EFFORTS[effort], on=True)
    if _forgot_its_thoughts(messages):
        return Thinking(lost=("reasoning_effort",))
    budget = _BUDGETS[effort]
    return Thinking({"thinking": {"type": "enabled", "budget_tokens": budget}}, budget=budget, on=True)


def _as_given(value: object, family: Family) -> Thinking:
    if not family.is_claude or not isinstance(value, dict):
        return Thinking(lost=("thinking",))
    budget = value.get("budget_tokens")
    on = value.get("type") in {"enabled", "adaptive"}
    return Thinking({"thinking": value}, budget=budget if on and isinstance(budget, int) else 0, on=on)


def _forgot_its_thoughts(messages: Sequence[HistoryMessage]) -> bool:
    """Whether the turn that is going on called tools and its signed thoughts were not sent back."""
    turn = []
    for message in reversed(messages):
        if message.role == "user":
            break
        turn.append(message)
    first = next((message for message in reversed(turn) if message.role == "assistant"), None)
    return first is not None and bool(first.tool_calls) and not first.thinking_blocks
