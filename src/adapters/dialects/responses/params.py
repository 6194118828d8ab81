"""What becomes of each parameter of OpenAI's Responses at an upstream that has the API."""

from typing import Final

from domain.fidelity import HONORED, Fidelity, dropped, mapped
from domain.inference import GATEWAY_FIELDS
from domain.responses import ResponsesRequest

_UNMODELLED: Final = ("context_management", "moderation", "prompt_cache_options", "prompt_cache_retention")

RESPONSES_PARAMS: Final[tuple[str, ...]] = tuple(
    sorted({*ResponsesRequest.__struct_fields__, *_UNMODELLED} - GATEWAY_FIELDS - {"model"})
)

RESPONSES_NATIVE: Final[Fidelity] = dict.fromkeys(RESPONSES_PARAMS, HONORED) | {
    "input": mapped("input", "reasoning that another provider sealed is left out"),
    "previous_response_id": mapped("previous_response_id", "the upstream's own id is put back"),
}


def native_fidelity(drop: frozenset[str]) -> Fidelity:
    """Where an upstream has the API and answers 400 to some of it."""
    return RESPONSES_NATIVE | {name: dropped() for name in drop if name in RESPONSES_NATIVE}
