"""Claude Code's billing line: it counts requests for Anthropic, and changes with each of them.

It is the first line of the system prompt, whatever form that has. No other model should read it, and no cache of a
prompt's beginning outlives it. Source: 1rgs/claude-code-proxy#99, anthropics/claude-code#68900,
sgl-project/sglang#29169 (read 2026-11).
"""

from typing import Final

_BILLING: Final = "x-anthropic-billing-header:"


def is_billed(text: str) -> bool:
    """Whether a system prompt begins with the line."""
    return text.startswith(_BILLING) or text.lstrip()[: len(_BILLING)].lower() == _BILLING


def without_billing_line(text: str) -> str:
    """The rest of the prompt. Example: `x-anthropic-billing-header: cch=1;\\nBe brief.` becomes `Be brief.`"""
    return text.lstrip().partition("\n")[2].lstrip("\n") if is_billed(text) else text
