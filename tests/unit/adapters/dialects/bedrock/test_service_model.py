"""What is sent to Converse fits the service model that botocore checks boto3's own requests against."""

from functools import cache
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from tests.unit.adapters.dialects.bedrock.samples import CLAUDE, NEW_CLAUDE, NOVA, OLD_CLAUDE, encoded
from tests.unit.adapters.dialects.bedrock.test_request import CALLED, PNG, RESULT, TOOL, USER, WANTS_SCHEMA

IMAGE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
PDF = {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"}}
SOUND = {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}
MARK = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
THOUGHTS = [{"type": "thinking", "thinking": "t", "signature": "s"}, {"type": "redacted_thinking", "data": "AA=="}]

REQUESTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "parts": {"messages": [{"role": "user", "content": [{"type": "text", "text": "a", **MARK}, IMAGE, PDF, SOUND]}]},
    "tools": {"tools": [{**TOOL, **MARK}], "tool_choice": "required", "messages": [USER, CALLED, RESULT]},
    "one tool": {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "f"}}},
    "history alone": {"messages": [USER, CALLED, RESULT]},
    "no tools now": {"messages": [USER, CALLED, RESULT], "tools": [TOOL], "tool_choice": "none"},
    "tool result with an image": {"messages": [USER, CALLED, {**RESULT, "content": [IMAGE]}]},
    "thoughts": {"messages": [USER, {"role": "assistant", "content": "x", "thinking_blocks": THOUGHTS}, USER]},
    "schema": {"response_format": WANTS_SCHEMA},
    "json": {"response_format": {"type": "json_object"}},
    "effort": {"reasoning_effort": "high", "max_tokens": 100},
    "settings": {
        "max_tokens": 5,
        "temperature": 0.1,
        "top_p": 0.5,
        "stop": ["a"],
        "service_tier": "flex",
        "metadata": {"a": "b"},
        "top_k": 3,
        "guardrailConfig": {"guardrailIdentifier": "abc123", "guardrailVersion": "1"},
        "performanceConfig": {"latency": "optimized"},
    },
}


@cache
def converse() -> Any:
    loaded = Loader().load_service_model("bedrock-runtime", "service-2")
    return ServiceModel(loaded, "bedrock-runtime").operation_model("Converse").input_shape


@pytest.mark.parametrize("model", [CLAUDE, OLD_CLAUDE, NEW_CLAUDE, NOVA])
@pytest.mark.parametrize("name", REQUESTS)
def test_a_body_fits_the_service_model(model: str, name: str) -> None:
    body = {"modelId": model, **encoded(model, **REQUESTS[name])}

    report = ParamValidator().validate(body, converse())

    assert not report.has_errors(), report.generate_report()
