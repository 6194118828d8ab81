"""What Converse leaves to the model: which family an id names, and what that family can do.

Source: Amazon Bedrock user guide, "Supported models and model features"; Anthropic's model pages (read 2026-11).
"""

import re
from typing import Final, Literal

import msgspec

Thinking = Literal["none", "budget", "adaptive", "nova", "effort"]
"""How a model is told: by a budget (Claude to 4.5), by effort (Claude from 4.6, gpt-oss), Nova 2's own way."""

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
    thinking: Thinking = "none"
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
    thinking: Thinking = "none"
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
