"""What becomes of each chat parameter at an upstream, derived from the quirks the encoder itself follows."""

from adapters.dialects.openai.quirks import Quirks
from domain.chat import ChatRequest
from domain.fidelity import HONORED, Cell, Fidelity, dropped, mapped, refused
from domain.inference import GATEWAY_FIELDS

_UNMODELLED = ("moderation", "prompt_cache_options", "prompt_cache_retention")

CHAT_PARAMS: tuple[str, ...] = tuple(
    sorted({*ChatRequest.__struct_fields__, *_UNMODELLED} - GATEWAY_FIELDS - {"model", "messages"})
)


def chat_fidelity(quirks: Quirks) -> Fidelity:
    """Every parameter of OpenAI's chat, as this upstream gets it."""
    return {name: _cell(name, quirks) for name in CHAT_PARAMS}


def _cell(name: str, quirks: Quirks) -> Cell:
    if name in quirks.refused:
        return refused("forwarded, for the provider to refuse")
    if name in quirks.drop:
        return dropped()
    if name in quirks.rename:
        return mapped(quirks.rename[name])
    if name in quirks.rewrite:
        return mapped(name, "some values are sent as others")
    if name == "stream_options":
        return HONORED if quirks.stream_usage else mapped("", "usage comes without being asked for")
    other_max_tokens = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
    if quirks.max_tokens_field is not None and other_max_tokens.get(name) == quirks.max_tokens_field:
        return mapped(quirks.max_tokens_field)
    return HONORED
