"""What becomes of each chat parameter at an upstream, derived from the quirks the encoder itself follows."""

from adapters.dialects.openai.quirks import Quirks
from domain.chat import GATEWAY_FIELDS, ChatRequest
from domain.providers import ParamSupport

_UNMODELLED = ("moderation", "prompt_cache_options", "prompt_cache_retention")

CHAT_PARAMS: tuple[str, ...] = tuple(
    sorted({*ChatRequest.__struct_fields__, *_UNMODELLED} - GATEWAY_FIELDS - {"model", "messages"})
)


def param_support(quirks: Quirks) -> dict[str, ParamSupport]:
    """Every parameter of OpenAI's chat, as this upstream gets it."""
    return {name: _support(name, quirks) for name in CHAT_PARAMS}


def _support(name: str, quirks: Quirks) -> ParamSupport:
    if name in quirks.refused:
        return "refused"
    if name in quirks.drop:
        return "dropped"
    if name in quirks.rename or name in quirks.rewrite:
        return "mapped"
    if name == "stream_options":
        return "honored" if quirks.stream_usage else "mapped"
    other_max_tokens = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
    if quirks.max_tokens_field is not None and other_max_tokens.get(name) == quirks.max_tokens_field:
        return "mapped"
    return "honored"
