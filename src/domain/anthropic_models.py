"""Models as Anthropic's clients list them: the same fields, but what a model can do is an object there.

Of a Claude its generation says what it can; of another model is told what the gateway carries to it: pictures, schemas
and an effort, and none of what Anthropic alone has. Source: anthropic-python 2.11 types, `ModelInfo` (read 2026-11).
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from domain.models import Model, ModelList

_CLAUDE: Final = re.compile(r"claude(?:-[a-z]+)*-v?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")
_NEWEST: Final = (99, 0)
_ALWAYS_THINKING: Final = re.compile("fable|mythos")
_EFFORTS: Final = ("low", "medium", "high", "max")

Supported = dict[str, bool]


def model_page(models: Sequence[Model]) -> dict[str, object]:
    """The list, in one page."""
    page = msgspec.structs.asdict(ModelList(list(models)))
    return page | {"data": [model_info(model) for model in models]}


def model_info(model: Model) -> dict[str, object]:
    """One model."""
    known = {name: value for name, value in msgspec.structs.asdict(model).items() if value is not msgspec.UNSET}
    return known | {"capabilities": _capabilities(model.id.lower())}


def _capabilities(name: str) -> dict[str, object]:
    found = _CLAUDE.search(name)
    is_claude = "claude" in name
    version = (int(found[1]), int(found[2] or 0)) if found else _NEWEST if is_claude else (0, 0)
    always = is_claude and _ALWAYS_THINKING.search(name) is not None
    server_tools = is_claude and version >= (3, 7)
    effort = not is_claude or version >= (4, 6)
    thinks = is_claude and version >= (3, 7)
    kept = {name: _can(thinks) for name in ("clear_thinking_20251015", "clear_tool_uses_20250919")}
    return {
        "batch": _can(False),
        "citations": _can(is_claude),
        "code_execution": _can(server_tools),
        "context_management": {**_can(thinks), **kept, "compact_20260112": _can(is_claude and version >= (4, 6))},
        "effort": {
            **_can(effort),
            **{level: _can(effort) for level in _EFFORTS},
            "xhigh": _can(is_claude and version >= (4, 7)),
        },
        "image_input": _can(True),
        "pdf_input": _can(is_claude),
        "server_tools": {
            **_can(server_tools),
            "code_execution": _can(server_tools),
            "web_search": _can(server_tools),
        },
        "structured_outputs": _can(not is_claude or version >= (4, 5)),
        "thinking": {
            **_can(thinks),
            "types": {
                "adaptive": _can(is_claude and version >= (4, 6)),
                "between_tools": _can(is_claude and version >= (5, 5)),
                "disabled": _can(not always),
                "enabled": _can(thinks and version < (4, 7)),
            },
        },
    }


def _can(supported: bool) -> Supported:
    return {"supported": supported}
