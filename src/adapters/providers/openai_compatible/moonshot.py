"""Moonshot Kimi.

Source: litellm 1.106 (read 2026-11). Temperature goes to 1 only; a tool cannot be required; usage may stand
inside the last choice of a stream.
"""

from adapters.dialects.openai.quirks import Quirks
from adapters.providers.entry import Entry
from domain.providers import ProviderPreset

ENTRY = Entry(
    ProviderPreset(
        id="moonshot",
        kind="openai",
        name="Moonshot Kimi",
        base_url="https://api.moonshot.ai/v1",
        env=("MOONSHOT_API_KEY",),
        priority=260,
        free_tier="3 requests a minute until a first payment",
        key_url="https://platform.moonshot.ai/console/api-keys",
    ),
    Quirks(
        max_tokens_field="max_tokens",
        refused=frozenset({"functions", "function_call"}),
        rewrite={"tool_choice": {'"required"': '"auto"'}},
        message_fields=frozenset({"reasoning_content"}),
    ),
)
