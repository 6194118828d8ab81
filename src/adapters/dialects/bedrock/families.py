"""What Converse leaves to the model: which family an id names, what that family can do, and how it is made to think.

A thinking budget is at least 1024 and less than the output limit, Claude from 4.7 refuses it; effort stands in
`outputConfig`; Nova 2 has `reasoningConfig`. A turn that calls tools must begin with its signed thoughts where thinking
is on. Source: Amazon Bedrock user guide, "Supported models and model features"; Amazon Nova 2 user guide; Anthropic's
model pages, extended and adaptive thinking (read 2026-11).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from adapters.wire.chat_history import HistoryMessage

ThinkingStyle = Literal["none", "budget", "adaptive", "nova", "effort"]
"""How a model is made to think: by a budget (Claude to 4.5), by effort (Claude from 4.6, gpt-oss), Nova 2's own way."""

_VENDOR: Final = re.compile(
    r"(?:^|[./])(anthropic|amazon|meta|mistral|cohere|ai21|deepseek|openai|qwen|writer|stability|twelvelabs|google|"
    r"moonshotai?|minimax|nvidia|zai)\.([a-z0-9][a-z0-9.:_-]*)",
    re.IGNORECASE,
)
_CLAUDE: Final = re.compile(
    r"claude-(?:(?P<old>\d)(?:-(?P<oldminor>\d))?-)?[a-z]+(?:-(?P<major>\d)(?:-(?P<minor>\d)(?!\d))?)?"
)
_BEFORE_CLAUDE_3: Final = re.compile(r"claude-(?:instant|v\d)")


class Family(msgspec.Struct, frozen=True):
    """One model's abilities, as far as its id tells. An id that tells nothing gets the plain ones."""

    vendor: str = ""
    name: str = ""
    thinking: ThinkingStyle = "none"
    structured: bool = False  # knows `outputConfig.textFormat` and strict tools
    sampling: bool = True  # takes temperature and top_p
    both_samplings: bool = True  # and both at once
    forced_tools: bool = True  # takes a toolChoice besides auto
    top_k: Literal["", "top_k", "nova"] = ""

    @property
    def is_claude(self) -> bool:
        return self.vendor == "anthropic"


def family_of(model: str) -> Family:
    """By a model id, an inference profile's id or an ARN that holds either."""
    found = _VENDOR.search(model)
    if found is None:
        return Family()
    vendor, name = found[1].lower(), found[2].lower()
    if vendor == "anthropic":
        return _claude(name)
    if vendor == "amazon":
        second = name.startswith("nova-2")
        nova = name.startswith("nova")
        return Family(vendor, name, "nova" if second else "none", top_k="nova" if nova else "", forced_tools=nova)
    if vendor == "openai":
        return Family(vendor, name, "effort", structured=True)
    forced = vendor in {"mistral", "qwen", "deepseek", "moonshot", "moonshotai", "minimax", "zai", "google", "nvidia"}
    return Family(vendor, name, structured=forced and not name.startswith("mistral-"), forced_tools=forced)


def _claude(name: str) -> Family:
    found = None if _BEFORE_CLAUDE_3.match(name) else _CLAUDE.match(name)
    version = (2, 0)
    if found is not None:
        if found["old"]:
            version = (int(found["old"]), int(found["oldminor"] or 0))
        elif found["major"]:
            version = (int(found["major"]), int(found["minor"] or 0))
        else:
            version = (5, 0)  # a name without a number is newer than the numbers
    thinking: ThinkingStyle = "none"
    if version >= (4, 6):
        thinking = "adaptive"
    elif version >= (3, 7):
        thinking = "budget"
    return Family(
        "anthropic",
        name,
        thinking,
        structured=version >= (4, 5),
        sampling=version < (4, 7),
        both_samplings=version < (4, 1),
        top_k="top_k",
    )


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
    if _lacks_signed_thinking(messages):
        return Thinking(lost=("reasoning_effort",))
    budget = _BUDGETS[effort]
    return Thinking({"thinking": {"type": "enabled", "budget_tokens": budget}}, budget=budget, on=True)


def _as_given(value: object, family: Family) -> Thinking:
    if not family.is_claude or not isinstance(value, dict):
        return Thinking(lost=("thinking",))
    budget = value.get("budget_tokens")
    on = value.get("type") in {"enabled", "adaptive"}
    return Thinking({"thinking": value}, budget=budget if on and isinstance(budget, int) else 0, on=on)


def _lacks_signed_thinking(messages: Sequence[HistoryMessage]) -> bool:
    """Whether the turn that is going on called tools and its signed thoughts were not sent back."""
    turn = []
    for message in reversed(messages):
        if message.role == "user":
            break
        turn.append(message)
    first = next((message for message in reversed(turn) if message.role == "assistant"), None)
    return first is not None and bool(first.tool_calls) and not first.thinking_blocks
