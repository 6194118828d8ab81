"""Tool calls in streams: numbered from 0, told once, arguments as text."""

from typing import Any

from tests.unit.adapters.dialects.openai.samples import DONE, delta, deltas, sample, tool


def calls(stream: bytes) -> list[dict[str, Any]]:
    return [call for received in deltas(stream) for call in received.get("tool_calls") or ()]


def test_tool_calls_are_numbered_from_zero_and_named_once() -> None:
    assert [call["index"] for call in calls(sample("toolidx1.sse"))] == [0]
    repeated = calls(sample("toolrepeat.sse"))
    assert [("id" in call, "name" in call["function"]) for call in repeated] == [
        (True, True),
        (False, False),
        (False, False),
    ]
    assert "".join(call["function"]["arguments"] for call in repeated) == '{"a":1}'


def test_arguments_as_an_object_become_text() -> None:
    (call,) = calls(sample("tooldictargs.sse"))

    assert call["function"] == {"name": "f", "arguments": '{"a":1}'}


def test_a_whole_call_told_twice_without_an_index_is_one_call() -> None:
    assert [(call["index"], call["id"]) for call in calls(sample("toolnoindex.sse"))] == [(0, "call_1")]


def test_parallel_calls_that_share_an_index_are_told_apart_by_id_and_name() -> None:
    stream = (
        tool(index=0, id="a", function={"name": "f", "arguments": "{}"})
        + tool(index=0, id="b", function={"name": "g", "arguments": "{}"})
        + delta("tool_calls")
        + DONE
    )

    assert [(call["index"], call["id"]) for call in calls(stream)] == [(0, "a"), (1, "b")]


def test_a_new_id_with_each_fragment_is_still_the_same_call() -> None:
    """An old vLLM made a new id for every delta of a call."""
    stream = (
        tool(index=0, id="a", type="function", function={"name": "f", "arguments": ""})
        + tool(index=0, id="b", function={"arguments": "{}"})
        + delta("tool_calls")
        + DONE
    )

    assert [(call["index"], call.get("id")) for call in calls(stream)] == [(0, "a"), (0, None)]


def test_calls_without_ids_and_with_text_indexes_get_what_they_lack() -> None:
    stream = (
        tool(index="2", function={"name": "f", "arguments": "{}"})
        + tool(function={"name": "g", "arguments": "{"})
        + tool(function={"arguments": "}"})
        + delta("tool_calls")
        + DONE
    )
    first, second, third = calls(stream)

    assert (first["index"], second["index"], third["index"]) == (0, 1, 1)
    assert first["type"] == second["type"] == "function"
    assert str(first["id"]).startswith("call_")
    assert first["id"] != second["id"]
    assert "id" not in third
