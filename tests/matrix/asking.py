"""What every ingress is asked, and what it must answer."""

import base64
import json
from typing import Any

from entrypoints.simulator.pictures import png_of
from tests.matrix.rows import Row

TEXT = "Oslo today"
PARAMETERS: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ARGUMENTS = {"city": TEXT}
NAMES = ("weather", "forecast")
RESULTS = ("sunny", "rain")
PICTURE = base64.b64encode(png_of("a cat")).decode()
SEEN = f"{TEXT} [image_url]"
WORDS = "word1 word2 word3 word4 word5 word6 word7 word8 word9"
REFUSAL = "I cannot help with that."
THOUGHT = "Let me think."

SHAPE: dict[str, Any] = {**PARAMETERS, "additionalProperties": False}
BEFORE_STOP = "word1 word2 word3"

BROKEN = ("sim-words-20+error-event-after-6",)
CUT = ("sim-words-20+cut-after-6", "sim-words-20+end-after-6")


def was_signed(row: Row, request: str) -> bool:
    """Whether the thought came back to the upstream with its signature, where it has one."""
    return row.signature is None or row.signature in request


def check_calls(calls: list[tuple[str, Any]], count: int) -> None:
    """Each call is of its tool, with the arguments it must have."""
    assert [name for name, _ in calls] == list(NAMES[:count])
    for _, arguments in calls:
        received = json.loads(arguments) if isinstance(arguments, str) else arguments
        assert received == ARGUMENTS
