"""How much a model is to think: Anthropic's thinking and effort as a chat's `reasoning_effort`.

Source: wire facts on `reasoning_effort` (November 2026): OpenAI's reasoning models, gpt-oss wherever it is served,
Gemini and Claude know the words; others answer 400 to them, or know words of their own.
"""

import re

import msgspec

from domain.inference import Json

_KNOWS_EFFORT = re.compile(r"(?:^|[/:.])(?:o[1-9]\b|gpt-[5-9]|gpt-oss|gemini-(?:2\.5|[3-9])|(?:anthropic\.)?claude-)")
_KNOWS_MORE = re.compile(r"(?:^|[/:.])(?:gpt-5\.[2-9]|gpt-[6-9]|claude-)")  # than low, medium and high

_LOW_BUDGET_TOKENS = 2_048
_MEDIUM_BUDGET_TOKENS = 8_192


class _Thinking(msgspec.Struct):
    type: str
    budget_tokens: int | None = None


class _OutputConfig(msgspec.Struct):
    effort: str | None = None


def wanted_effort(thinking: dict[str, Json] | None, output_config: dict[str, Json] | None) -> tuple[str, str] | None:
    """The effort asked for and the parameter that asked; None where the model's own default will do.

    Thinking switched off asks for nothing: that is how a chat is without `reasoning_effort`, and the word for it
    (`none`) is known to few. Raises `msgspec.ValidationError`.
    """
    config = msgspec.convert(_plain(output_config), _OutputConfig)
    asked = msgspec.convert(_plain(thinking), _Thinking) if thinking is not None else None
    if asked is not None and asked.type == "disabled":
        return None
    if config.effort is not None:
        return config.effort, "output_config"
    if asked is not None and asked.budget_tokens is not None:
        return _of_budget(asked.budget_tokens), "thinking"
    return None


def effort_at(model: str, effort: str) -> str | None:
    """The word to send to this model, None where it may know none."""
    model = model.lower()
    if not _KNOWS_EFFORT.search(model):
        return None
    if effort in ("xhigh", "max") and not _KNOWS_MORE.search(model):
        return "high"
    return "xhigh" if effort == "max" and "claude" not in model else effort


def _of_budget(tokens: int) -> str:
    if tokens <= _LOW_BUDGET_TOKENS:
        return "low"
    return "medium" if tokens <= _MEDIUM_BUDGET_TOKENS else "high"


def _plain(fields: dict[str, Json] | None) -> object:
    return msgspec.json.decode(msgspec.json.encode(fields or {}))
