"""What a Claude model takes, by its name, and how much it is to think.

Generations differ in sampling, thinking and structured outputs. A Claude without a version is taken for the newest; a
model of another maker behind this API gets what imitators of the older Claudes understand. A forced tool call and calls
in the history that were made without thoughts rule a thinking budget out.

Source: platform.claude.com migration guides, extended and adaptive thinking, effort, structured outputs,
mid-conversation system messages; cloud.google.com, structured outputs with Claude (read 2026-11).
"""

import re
from functools import lru_cache
from typing import Final, Literal

import msgspec

from adapters.dialects.anthropic.settings import AnthropicSettings

_VERSION = re.compile(r"claude(?:-[a-z]+)*-v?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")
_NEWEST: Final = (99, 0)
_ALWAYS_THINKING = re.compile(r"fable|mythos")


class Traits(msgspec.Struct, frozen=True):
    """One model. `max_tokens` is asked for where a client sets no limit, which Anthropic demands."""

    samples: bool = True  # takes temperature, top_p and top_k
    both_samplers: bool = True  # takes temperature and top_p together
    thinking: Literal["none", "budget", "adaptive"] = "budget"
    always_thinks: bool = False
    disables_thinking: bool = False  # thinks unless switched off
    hides_thoughts: bool = False  # unless a summary is asked for
    xhigh_effort: bool = False
    structured: bool = False  # output_config.format, strict tools
    mid_system: bool = False  # role system inside the conversation
    max_tokens: int = 8192


def traits_at(model: str, settings: AnthropicSettings) -> Traits:
    """What the model takes at this upstream. Other clouds know no system turns; on Vertex AI structured outputs are off
    unless an organization's policy allows them.
    """
    traits = traits_of(model)
    if not settings.body_version:
        return traits
    vertex = settings.body_version.startswith("vertex")
    return msgspec.structs.replace(traits, mid_system=False, structured=traits.structured and not vertex)


@lru_cache(maxsize=512)
def traits_of(model: str) -> Traits:
    """By the model's name, with whatever a cloud puts before and after it (`eu.anthropic.…`, `…@20250929`)."""
    name = model.lower()
    if "claude" not in name:
        return Traits()
    found = _VERSION.search(name)
    version = (int(found[1]), int(found[2] or 0)) if found else _NEWEST
    always = _ALWAYS_THINKING.search(name) is not None
    return Traits(
        samples=version < (4, 7) and not always,
        both_samplers=version < (4, 1),
        thinking="none" if version < (3, 7) else "budget" if version < (4, 6) else "adaptive",
        always_thinks=always,
        disables_thinking=version >= (5, 0) and not always,
        hides_thoughts=version >= (4, 7),
        xhigh_effort=version >= (4, 7),
        structured=version >= (4, 5),
        mid_system=version >= (4, 8),
        max_tokens=4096 if version < (3, 5) else 8192 if version < (3, 7) else 32_000,
    )


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


def think(
    effort: str | None, traits: Traits, max_tokens: int, *, forced_call: bool, without_thinking: bool
) -> Thinking:
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
    if forced_call or without_thinking or budget < MIN_BUDGET_TOKENS:
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
    sent = effort if effort in _EFFORTS else "low"
    if sent == "xhigh" and not traits.xhigh_effort:
        sent = "high"
    if forced_call:
        return Thinking(None, sent)
    shown = {"display": "summarized"} if traits.hides_thoughts else {}
    return Thinking({"type": "adaptive", **shown}, sent)
