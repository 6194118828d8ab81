"""Which of a message's tools a chat may call."""

from typing import Any

from tests.unit.adapters.ingress.messages.samples import HI, blocks, chat, text

SEARCH = {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"}
USE = {"type": "tool_use", "id": "t", "name": "find", "input": {}}


def tool(name: str, **fields: object) -> dict[str, object]:
    return {"name": name, "input_schema": {"type": "object"}} | fields


def offered(*tools: object, messages: list[dict[str, object]] | None = None) -> tuple[list[str], tuple[str, ...]]:
    sent, dropped = chat(tools=tools, messages=messages or HI)
    found: list[dict[str, Any]] = sent.get("tools", [])
    return [each["function"]["name"] for each in found], dropped


def test_tools_that_anthropic_runs_are_told_as_dropped() -> None:
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 5}

    assert offered(tool("a"), search, tool("b", type="custom")) == (["a", "b"], ("tools",))
    assert "tools" not in chat(tools=[search], tool_choice={"type": "auto"})[0]
    assert "tool_choice" not in chat(tools=[search], tool_choice={"type": "auto"})[0]


def test_what_a_chat_does_not_know_of_a_tool_stays_behind() -> None:
    given = tool("a", strict=True, eager_input_streaming=True, input_examples=[{}], allowed_callers=["direct"])

    assert chat(tools=[given])[0]["tools"] == [
        {"type": "function", "function": {"name": "a", "parameters": {"type": "object"}, "strict": True}}
    ]


def test_a_tool_without_a_schema_takes_nothing() -> None:
    assert chat(tools=[{"name": "a"}])[0]["tools"][0]["function"]["parameters"] == {"type": "object", "properties": {}}


def test_a_deferred_tool_is_on_offer_once_it_was_found() -> None:
    late = tool("late", defer_loading=True)
    found = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "tool_reference", "tool_name": "late"}]}

    assert offered(tool("a"), late)[0] == ["a"]
    assert offered(tool("a"), late, messages=[blocks(USE, role="assistant"), blocks(found)])[0] == ["a", "late"]


def test_deferred_tools_that_nobody_could_find_are_all_on_offer() -> None:
    assert offered(tool("late", defer_loading=True), SEARCH) == (["late"], ("tools",))


def test_the_conversation_adds_and_removes_tools() -> None:
    added = {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "late"}}
    defined = {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": tool("new")}}
    removed = {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "a"}}
    messages: list[dict[str, object]] = [
        blocks(text("hi")),
        {"role": "system", "content": [added, defined, removed, text("Tools changed.")]},
    ]

    names, dropped = offered(tool("a"), tool("late", defer_loading=True), messages=messages)

    assert (names, dropped) == (["late", "new"], ())
