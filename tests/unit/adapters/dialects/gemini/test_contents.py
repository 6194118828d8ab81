"""Results of tools as Gemini takes them, and schemas with nothing beside a reference."""

import json
from typing import Any

import pytest

from adapters.dialects.gemini.contents import ContentsWriter, GeminiSettings
from adapters.dialects.gemini.schema_flatten import with_lone_references
from adapters.wire.chat_history import history
from tests.builders import a_chat_payload

PNG = "data:image/png;base64,iVBORw0KGgo="


def written(*results: Any) -> list[dict[str, Any]]:
    """The parts of the turn that answers as many calls at once."""
    calls = [
        {"id": f"c{place}", "type": "function", "function": {"name": f"f{place}", "arguments": "{}"}}
        for place, _ in enumerate(results)
    ]
    messages = [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        *({"role": "tool", "tool_call_id": f"c{place}", "content": result} for place, result in enumerate(results)),
    ]
    contents, _ = ContentsWriter("gemini-3-x", GeminiSettings()).write(history(a_chat_payload(messages=messages)))
    parts: list[dict[str, Any]] = contents[-1]["parts"]  # type: ignore[assignment]  # what a turn holds
    return parts


@pytest.mark.parametrize(
    ("result", "response"),
    [
        ('{"city": "A"}', {"city": "A"}),
        ("sunny", {"result": "sunny"}),
        ("[1]", {"result": "[1]"}),
        ('{"a": {"$ref": "#/$defs/C"}}', {"result": '{"a": {"$ref": "#/$defs/C"}}'}),
        ('{"a": [{"$ref": "x"}]}', {"result": '{"a": [{"$ref": "x"}]}'}),
    ],
)
def test_a_result_with_a_reference_in_it_goes_as_text(result: str, response: dict[str, Any]) -> None:
    assert written(result)[0]["functionResponse"]["response"] == response


def test_results_of_parallel_calls_stand_side_by_side_and_pictures_behind_them() -> None:
    shown = [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": PNG}}]

    assert [next(iter(part)) for part in written(shown, "b", shown)] == [
        "functionResponse",
        "functionResponse",
        "functionResponse",
        "inlineData",
        "inlineData",
    ]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (
            {"properties": {"a": {"$ref": "#/$defs/A", "description": "d"}}, "$defs": {"A": {"type": "string"}}},
            {
                "properties": {"a": {"anyOf": [{"$ref": "#/$defs/A"}], "description": "d"}},
                "$defs": {"A": {"type": "string"}},
            },
        ),
        ({"$ref": "#/$defs/A", "$defs": {"A": {}}}, {"$ref": "#/$defs/A", "$defs": {"A": {}}}),
        ({"properties": {"$ref": {"type": "string"}}}, {"properties": {"$ref": {"type": "string"}}}),
        ({"enum": [{"$ref": "x", "description": "d"}]}, {"enum": [{"$ref": "x", "description": "d"}]}),
        ({"items": [{"$ref": "#", "title": "t"}]}, {"items": [{"anyOf": [{"$ref": "#"}], "title": "t"}]}),
    ],
)
def test_nothing_stands_beside_a_reference(given: dict[str, Any], sent: dict[str, Any]) -> None:
    assert with_lone_references(given) == sent
    assert json.loads(json.dumps(with_lone_references(given))) == sent
