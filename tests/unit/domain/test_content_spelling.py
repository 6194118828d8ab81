"""Google's two spellings of a name, and what is left out of lists and contents."""

import json
from typing import Any

import msgspec
import pytest

from domain.content_spelling import needs_respelling, respelt, whole


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"system_instruction": {"parts": []}}, {"systemInstruction": {"parts": []}}),
        (
            {"contents": [{"parts": [{"inline_data": {"mime_type": "image/png", "data": "AA=="}}]}]},
            {"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": "AA=="}}]}]},
        ),
        (
            {"generation_config": {"thinking_config": {"thinking_budget": 1}}},
            {"generationConfig": {"thinkingConfig": {"thinkingBudget": 1}}},
        ),
        ({"function_call": {"args": {"my_arg": 1}}}, {"functionCall": {"args": {"my_arg": 1}}}),
        ({"function_response": {"response": {"an_answer": 1}}}, {"functionResponse": {"response": {"an_answer": 1}}}),
        (
            {"parameters": {"properties": {"my_arg": {"any_of": []}}, "property_ordering": ["my_arg"]}},
            {"parameters": {"properties": {"my_arg": {"anyOf": []}}, "propertyOrdering": ["my_arg"]}},
        ),
        ({"parameters_json_schema": {"my_key": 1}}, {"parametersJsonSchema": {"my_key": 1}}),
        ({"provider": {"allow_fallbacks": False}}, {"provider": {"allow_fallbacks": False}}),
        ({"labels": {"cost_center": "a"}}, {"labels": {"cost_center": "a"}}),
    ],
)
def test_names_of_the_api_are_in_camel_case_and_the_clients_own_stay(given: Any, read: Any) -> None:
    assert json.loads(respelt(json.dumps(given).encode())) == read


def test_a_body_in_camel_case_is_not_touched_nor_is_what_texts_say() -> None:
    assert not needs_respelling(json.dumps({"generationConfig": {"text": '"a_b": 1'}, "topP": 1}).encode())
    assert needs_respelling(b'{"top_p" : 1}')


@pytest.mark.parametrize(
    ("name", "given", "read"),
    [
        ("contents", '"Hi"', [{"role": "user", "parts": [{"text": "Hi"}]}]),
        ("contents", '{"parts":[]}', [{"parts": []}]),
        ("contents", '["Hi",{"parts":[]}]', [{"role": "user", "parts": [{"text": "Hi"}]}, {"parts": []}]),
        ("contents", '[{"parts":[]}]', [{"parts": []}]),
        ("systemInstruction", '"Be brief."', {"role": "user", "parts": [{"text": "Be brief."}]}),
        ("content", '{"parts":[]}', {"parts": []}),
        ("tools", '"x"', "x"),
        ("contents", "7", 7),
    ],
)
def test_a_text_is_a_content_and_one_content_a_list(name: str, given: str, read: Any) -> None:
    assert json.loads(bytes(whole(name, msgspec.Raw(given.encode())))) == read
