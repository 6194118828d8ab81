"""The text of a plain answer without usage is there to be counted (R-22)."""

import msgspec
import pytest

from adapters.dialects.openai.answer import read_answer
from adapters.dialects.openai.quirks import Quirks
from adapters.wire.call import AnswerFacts

FACTS = AnswerFacts("m", None, lambda: 0.0)
CALL = {"id": "c", "type": "function", "function": {"name": "look", "arguments": '{"at":1}'}}
CUSTOM = {"id": "c", "type": "custom", "custom": {"name": "shell", "input": "ls"}}


def text_of(*messages: dict[str, object], **fields: object) -> str:
    choices = [
        {"index": place, "message": {"role": "assistant", "content": None} | message, "finish_reason": "stop"}
        for place, message in enumerate(messages)
    ]
    head = {"id": "x", "object": "chat.completion", "created": 1, "model": "m"}
    return read_answer(msgspec.json.encode(head | {"choices": choices} | fields), FACTS, Quirks()).output_text


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": "Hi."}, "Hi."),
        ({"content": "Hi.", "reasoning_content": "Hm."}, "Hm.\nHi."),
        ({"content": "Hi.", "reasoning": "Hm.", "reasoning_content": "Hm."}, "Hm.\nHi."),
        ({"refusal": "No."}, "No."),
        ({"tool_calls": [CALL]}, 'look\n{"at":1}'),
        ({"tool_calls": [CUSTOM]}, '{"name":"shell","input":"ls"}'),
        ({}, ""),
    ],
)
def test_everything_generated_is_counted(message: dict[str, object], text: str) -> None:
    assert text_of(message) == text


def test_every_choice_is_counted() -> None:
    assert text_of({"content": "One."}, {"content": "Two."}) == "One.\nTwo."


def test_an_answer_that_had_to_be_mended_is_counted_as_it_is_sent() -> None:
    """Mistral's reasoning models send content as a list of parts."""
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "Hi."}]
    assert text_of({"content": parts}, created=1.5) == "Hm.\nHi."


def test_nothing_is_read_where_the_provider_counts() -> None:
    assert text_of({"content": "Hi."}, usage={"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}) == ""


def test_usage_that_is_null_is_no_usage() -> None:
    assert text_of({"content": "Hi."}, usage=None) == "Hi."
