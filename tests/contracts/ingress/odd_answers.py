"""Odd ways in which upstreams of OpenAI's chat write one answer, each a rule: what makes a clean answer odd by it.

A row that names servers was seen of them in public reports.
"""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from tests.contracts.ingress.grammars import Told

Json = dict[str, Any]

SAID: Final = [Told("Hello", "hm", (("f", {"a": 1}), ("g", {})))]

_HEAD: Final = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
_USAGE: Final = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}


def chunk(finish: str | None = None, **delta: Any) -> Json:
    return {**_HEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def call(index: int, **fields: Any) -> Json:
    return chunk(tool_calls=[{"index": index, **fields}])


def clean_chunks() -> list[Json]:
    return [
        chunk(role="assistant", content=""),
        chunk(reasoning_content="hm"),
        chunk(content="Hel"),
        chunk(content="lo"),
        call(0, id="call_1", type="function", function={"name": "f", "arguments": ""}),
        call(0, function={"arguments": '{"a":'}),
        call(0, function={"arguments": " 1}"}),
        call(1, id="call_2", type="function", function={"name": "g", "arguments": "{}"}),
        chunk("tool_calls"),
        {**_HEAD, "choices": [], "usage": dict(_USAGE)},
    ]


def clean_answer() -> Json:
    calls = [
        {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
        {"id": "call_2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]
    message = {"role": "assistant", "content": "Hello", "reasoning_content": "hm", "tool_calls": calls}
    return {
        **_HEAD,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
        "usage": dict(_USAGE),
    }


class Rule(NamedTuple):
    """How to make the clean answer odd: the whole one, its chunks; None where it can be odd in the other alone."""

    whole: Callable[[Json], object] | None = None
    pieces: Callable[[list[Json]], list[Json] | None] | None = None


def heads(**fields: Any) -> Rule:
    """Each answer and each chunk with these fields; `...` for a field that is missing."""

    def set_all(holder: Json) -> None:
        for name, value in fields.items():
            holder.pop(name, None)
            holder |= {} if value is ... else {name: value}

    def pieces(chunks: list[Json]) -> None:
        for one in chunks:
            set_all(one)

    return Rule(set_all, pieces)


def _choices(chunks: list[Json]) -> Iterator[Json]:
    return (choice for one in chunks for choice in one["choices"])


def choices(**fields: Any) -> Rule:
    """The same of choices."""

    def set_all(choice: Json) -> None:
        for name, value in fields.items():
            choice.pop(name, None)
            choice |= {} if value is ... else {name: value}

    def pieces(chunks: list[Json]) -> None:
        for choice in _choices(chunks):
            set_all(choice)

    return Rule(lambda answer: set_all(answer["choices"][0]), pieces)


def finishes(change: Callable[[Json], object]) -> Rule:
    """Each choice changed."""

    def pieces(chunks: list[Json]) -> None:
        for choice in _choices(chunks):
            change(choice)

    return Rule(lambda answer: change(answer["choices"][0]), pieces)


def _in_other_words(reason: object) -> Callable[[Json], object]:
    return lambda choice: choice["finish_reason"] and choice.update(finish_reason=reason)


def messages(**fields: Any) -> Rule:
    """The same of messages and of every delta."""

    def set_all(message: Json) -> None:
        for name, value in fields.items():
            message.pop(name, None)
            message |= {} if value is ... else {name: value}

    def pieces(chunks: list[Json]) -> None:
        for choice in _choices(chunks):
            set_all(choice["delta"])

    return Rule(lambda answer: set_all(answer["choices"][0]["message"]), pieces)


def empty(field: str, value: Any) -> Rule:
    """Every delta that has no such field has it with this value."""

    def pieces(chunks: list[Json]) -> None:
        for choice in _choices(chunks):
            choice["delta"].setdefault(field, value)

    return Rule(lambda answer: answer["choices"][0]["message"].setdefault(field, value), pieces)


def calls(change: Callable[[Json], object]) -> Rule:
    """Each call, or each fragment of one, changed."""

    def whole(answer: Json) -> None:
        for one in answer["choices"][0]["message"]["tool_calls"]:
            change(one)

    def pieces(chunks: list[Json]) -> None:
        for choice in _choices(chunks):
            for one in choice["delta"].get("tool_calls", ()):
                change(one)

    return Rule(whole, pieces)


def more(*chunks: Json, at: int = 3) -> Rule:
    """Chunks that say nothing, in the middle of the others and behind the last."""

    def pieces(given: list[Json]) -> list[Json]:
        spare = [copy.deepcopy(one) for one in chunks]
        return [*given[:at], *spare, *given[at:-1], *copy.deepcopy(spare), given[-1]]

    return Rule(None, pieces)


def first(*chunks: Json) -> Rule:
    return Rule(None, lambda given: [*chunks, *given])


def fragments(*said: Json) -> Rule:
    """The calls in these pieces instead."""
    return Rule(None, lambda given: [*given[:4], *said, *given[-2:]])


def whole_calls(*told: Any) -> Rule:
    return Rule(lambda answer: answer["choices"][0]["message"].update(tool_calls=list(told)))


def _arguments_as_object(one: Json) -> None:
    """Of whole calls; a fragment of an object is none."""
    text = one["function"].get("arguments")
    if text in ("{}", '{"a": 1}'):
        one["function"]["arguments"] = json.loads(text)


_SAFE: Final = {"hate": {"filtered": False, "severity": "safe"}}
_G: Final = call(1, id="call_2", type="function", function={"name": "g", "arguments": "{}"})
_F: Final = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
_G_WHOLE: Final = {"id": "call_2", "type": "function", "function": {"name": "g", "arguments": "{}"}}

RULES: Final[dict[str, Rule]] = {
    "id missing": heads(id=...),
    "id null": heads(id=None),
    "id empty": heads(id=""),
    "id a number": heads(id=17),
    "id an object": heads(id={"$oid": "17"}),
    "object missing": heads(object=...),
    "object empty (Azure)": heads(object=""),
    "object null": heads(object=None),
    "object a number": heads(object=1),
    "created missing": heads(created=...),
    "created null": heads(created=None),
    "created text": heads(created="1795222800"),
    "created a date": heads(created="2026-11-21T01:00:00Z"),
    "created with a point": heads(created=1795222800.25),
    "created without end": heads(created=1e300),
    "model missing": heads(model=...),
    "model null": heads(model=None),
    "model empty": heads(model=""),
    "model an object": heads(model={"name": "m"}),
    "an error of null": heads(error=None),
    "an error of nothing": heads(error={}),
    "index missing": choices(index=...),
    "index null": choices(index=None),
    "index text": choices(index="0"),
    "index with a point": choices(index=0.0),
    "logprobs missing": choices(logprobs=...),
    "logprobs null": choices(logprobs=None),
    "content_filter_results": choices(content_filter_results=_SAFE),
    "role missing": messages(role=...),
    "role null": messages(role=None),
    "role in every chunk": messages(role="assistant"),
    "role of another": messages(role="model"),
    "role a number": messages(role=1),
    "refusal null": messages(refusal=None),
    "refusal false": messages(refusal=False),
    "refusal an object": messages(refusal={}),
    "function_call null": messages(function_call=None),
    "annotations null": messages(annotations=None),
    "content null": empty("content", None),
    "content of no parts": empty("content", []),
    "content an empty text": empty("content", ""),
    "tool_calls null": empty("tool_calls", None),
    "tool_calls empty": empty("tool_calls", []),
    "tool_calls of nothing": empty("tool_calls", [None]),
    "tool_calls an empty object": empty("tool_calls", {}),
    "reasoning_content null": empty("reasoning_content", None),
    "call type missing": calls(lambda one: one.pop("type", None)),
    "call type null": calls(lambda one: one.update(type=None)),
    "call type empty": calls(lambda one: one.update(type="")),
    "call id missing": calls(lambda one: one.pop("id", None)),
    "call id null": calls(lambda one: one.update(id=None)),
    "call id empty": calls(lambda one: one.update(id="")),
    "call id of all the same": calls(lambda one: "id" in one and one.update(id="call_0")),
    "call id a number": calls(lambda one: "id" in one and one.update(id=int(one["id"][-1]))),
    "call index missing": calls(lambda one: one.pop("index", None)),
    "call index text": calls(lambda one: one.update(index=str(one.get("index", 0)))),
    "call index with a point": calls(lambda one: one.update(index=float(one.get("index", 0)))),
    "arguments as an object": calls(_arguments_as_object),
    "arguments null where there are none": calls(
        lambda one: one["function"].get("arguments") in ("", "{}") and one["function"].update(arguments=None)
    ),
    "arguments empty where there are none": calls(
        lambda one: one["function"].get("arguments") in ("", "{}") and one["function"].update(arguments="")
    ),
    "arguments missing where there are none": calls(
        lambda one: one["function"].get("arguments") in ("", "{}") and one["function"].pop("arguments")
    ),
    "a call in a call's place": whole_calls(None, _F, {}, {"function": None}, _G_WHOLE, {"id": "", "function": {}}),
    "content as one part": Rule(
        lambda answer: answer["choices"][0]["message"].update(content={"type": "text", "text": "Hello"})
    ),
    "choices of one object": Rule(
        lambda answer: answer.update(choices=answer["choices"][0]),
        lambda chunks: [{**one, "choices": one["choices"][0]} if one["choices"] else one for one in chunks],
    ),
    "a choice of null beside it": Rule(
        lambda answer: answer["choices"].append(None),
        lambda chunks: [{**one, "choices": [*one["choices"], None]} for one in chunks],
    ),
    "finish_reason missing": finishes(lambda choice: choice.pop("finish_reason")),
    "finish_reason null": finishes(lambda choice: choice.update(finish_reason=None)),
    "finish_reason empty while it goes on": finishes(
        lambda choice: choice.update(finish_reason=choice["finish_reason"] or "")
    ),
    "finish_reason of another API": finishes(_in_other_words("tool_use")),
    "finish_reason in capitals": finishes(_in_other_words("TOOL_CALLS")),
    "finish_reason nobody knows": finishes(_in_other_words("weird")),
    "finish_reason an object": finishes(_in_other_words({"type": "tool_calls"})),
    "finish_reason twice": Rule(None, lambda chunks: [*chunks[:-1], copy.deepcopy(chunks[-2]), chunks[-1]]),
    "a verdict on the prompt first (Azure)": first(
        {"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": []}
    ),
    "no delta, a filter's verdict (Azure)": more(
        {
            "id": "",
            "object": "",
            "created": 0,
            "model": "",
            "choices": [{"index": 0, "finish_reason": None, "content_filter_results": _SAFE}],
            "usage": None,
        }
    ),
    "no delta": more({**_HEAD, "choices": [{"index": 0, "finish_reason": None}]}),
    "delta null": more({**_HEAD, "choices": [{"index": 0, "delta": None, "finish_reason": None}]}),
    "delta of no fields": more(chunk()),
    "delta of a list": more({**_HEAD, "choices": [{"index": 0, "delta": [], "finish_reason": None}]}),
    "delta of a text": more({**_HEAD, "choices": [{"index": 0, "delta": "", "finish_reason": None}]}),
    "choices missing": more({**_HEAD}),
    "choices null": more({**_HEAD, "choices": None}),
    "choices empty": more({**_HEAD, "choices": []}),
    "choices of null": more({**_HEAD, "choices": [None]}),
    "choices of nothing": more({**_HEAD, "choices": [{}]}),
    "choices a number": more({**_HEAD, "choices": 5}),
    "a whole message behind it (MiniMax)": Rule(
        None,
        lambda chunks: [
            *chunks[:-2],
            {**_HEAD, "choices": [{"index": 0, "message": {"content": "Hello"}, "finish_reason": "tool_calls"}]},
            chunks[-1],
        ],
    ),
    "a call's name behind its id (GLM)": fragments(
        call(0, id="call_1", type="function", function={"arguments": ""}),
        call(0, function={"name": "f"}),
        call(0, function={"arguments": '{"a": 1}'}),
        _G,
    ),
    "a call's name behind its arguments (MiniMax)": fragments(
        call(0, id="call_1", type="function", function={"name": "", "arguments": '{"a":'}),
        call(0, function={"name": "f", "arguments": " 1}"}),
        _G,
    ),
    "a call's name with its last fragment": fragments(
        call(0, id="call_1", function={"arguments": '{"a":'}),
        call(0, function={"arguments": " 1}"}),
        call(0, function={"name": "f", "arguments": ""}),
        _G,
    ),
    "a call's id alone first": fragments(
        call(0, id="call_1"), call(0, type="function"), call(0, function={"name": "f", "arguments": '{"a": 1}'}), _G
    ),
    "a call's name before its id": fragments(
        call(0, function={"name": "f", "arguments": ""}), call(0, id="call_1", function={"arguments": '{"a": 1}'}), _G
    ),
    "two calls' names behind both ids": fragments(
        chunk(tool_calls=[{"index": 0, "id": "call_1"}, {"index": 1, "id": "call_2"}]),
        call(0, function={"name": "f", "arguments": '{"a": 1}'}),
        call(1, function={"name": "g", "arguments": "{}"}),
    ),
    "name and id in every fragment": fragments(
        call(0, **{**_F, "function": {"name": "f", "arguments": '{"a":'}}),
        call(0, **{**_F, "function": {"name": "f", "arguments": " 1}"}}),
        _G,
    ),
    "an empty place for a call behind the calls": fragments(
        call(0, **_F), _G, call(2, id="", type="function", function={"name": "", "arguments": ""})
    ),
    "calls that begin at 1": fragments(call(1, **_F), call(2, **_G_WHOLE)),
    "whole calls without an index": fragments(chunk(tool_calls=[dict(_F), dict(_G_WHOLE)])),
    "a call of one object": fragments(chunk(tool_calls={"index": 0, **_F}), _G),
    "function null behind the call": fragments(call(0, **_F), call(0, function=None), _G),
}
