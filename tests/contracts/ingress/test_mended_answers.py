"""Odd answers of OpenAI's chat, whole or in pieces: every ingress tells the same of them as of the clean one.

From each rule of `odd_answers` comes a test for each way of asking, kind of upstream and ingress.
"""

import json
from typing import Any, Final

import pytest

from tests.contracts.ingress.driving import Stage
from tests.contracts.ingress.grammars import GRAMMARS, Told, arguments, content
from tests.contracts.ingress.odd_answers import RULES, SAID, call, clean_answer, clean_chunks
from tests.contracts.ingress.test_recordings import heard_at
from tests.unit.adapters.dialects.openai.samples import validator

Json = dict[str, Any]

KINDS: Final = ("openai", "azure")


def ways(field: str) -> list[Any]:
    """Each rule that has something in this field; with every fourth also the second kind: one dialect reads both."""
    return [
        pytest.param(kind, rule, id=f"{rule}-{kind}")
        for number, (rule, makes) in enumerate(RULES.items())
        for kind in (KINDS if number % 4 == 0 else KINDS[:1])
        if getattr(makes, field) is not None
    ]


@pytest.mark.parametrize(("kind", "rule"), ways("pieces"))
async def test_an_odd_stream_is_told_as_the_clean_one_at_every_ingress(kind: str, rule: str) -> None:
    make = RULES[rule].pieces
    assert make is not None
    chunks = clean_chunks()
    odd = make(chunks) or chunks
    stream = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in odd) + b"data: [DONE]\n\n"
    stage = Stage(kind, "text/event-stream")

    for ingress, (api, _) in stage.ingresses.items():
        heard = await stage.hear(ingress, [stream])
        assert heard.failure is None, (ingress, heard.failure)
        assert GRAMMARS[ingress](heard.whole) == heard_at(api, SAID), ingress
        assert heard.usage is not None, ingress


@pytest.mark.parametrize(("kind", "rule"), ways("whole"))
async def test_an_odd_whole_answer_is_told_as_the_clean_one_at_every_ingress(kind: str, rule: str) -> None:
    make = RULES[rule].whole
    assert make is not None
    answer = clean_answer()
    make(answer)
    stage = Stage(kind, "application/json")

    for ingress, (api, _) in stage.ingresses.items():
        body = await stage.answer(ingress, json.dumps(answer).encode())
        assert WHOLE[api](json.loads(body)) == heard_at(api, SAID), ingress


def whole_chat(body: Json) -> list[Told]:
    validator("response").validate(body)
    assert body["id"]
    assert body["model"]
    message = body["choices"][0]["message"]
    told = message["tool_calls"]
    assert all(one["id"] for one in told)
    assert len({one["id"] for one in told}) == len(told)
    said = tuple((one["function"]["name"], arguments(one["function"]["arguments"])) for one in told)
    return [Told(message["content"], message["reasoning_content"], said)]


def whole_completion(body: Json) -> list[Told]:
    return [Told(choice["text"]) for choice in body["choices"]]


def whole_message(body: Json) -> list[Told]:
    kinds: dict[str, str] = {"text": "", "thinking": ""}
    uses = []
    for block in body["content"]:
        if block["type"] == "tool_use":
            assert block["id"]
            uses.append((block["name"], block["input"]))
        else:
            kinds[block["type"]] += block[block["type"]]
    return [Told(kinds["text"], kinds["thinking"], tuple(uses))]


def whole_response(body: Json) -> list[Told]:
    texts, thoughts, told = "", "", []
    for item in body["output"]:
        if item["type"] == "message":
            texts += "".join(part["text"] for part in item["content"])
        elif item["type"] == "reasoning":
            thoughts += "".join(part["text"] for part in item["summary"])
        else:
            assert item["call_id"]
            told.append((item["name"], arguments(item["arguments"])))
    return [Told(texts, thoughts, tuple(told))]


def whole_content(body: Json) -> list[Told]:
    assert body["responseId"]
    assert all(candidate["finishReason"] for candidate in body["candidates"])
    return [content(candidate) for candidate in body["candidates"]]


WHOLE: Final = {
    "contents": whole_content,
    "chat": whole_chat,
    "completions": whole_completion,
    "messages": whole_message,
    "responses": whole_response,
}


@pytest.mark.parametrize("kind", KINDS)
async def test_bytes_that_are_no_text_cost_a_character_and_not_the_answer(kind: str) -> None:
    whole = json.dumps(clean_answer()).encode().replace(b"Hello", b"Hel\xfflo")
    stream = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in clean_chunks()) + b"data: [DONE]\n\n"
    stage = Stage(kind, "application/json")

    for ingress, (api, _) in stage.ingresses.items():
        body = await stage.answer(ingress, whole)
        assert WHOLE[api](json.loads(body))[0].text == "Hel\ufffdlo", ingress
    stage = Stage(kind, "text/event-stream")
    for ingress in stage.ingresses:
        heard = await stage.hear(ingress, [stream.replace(b'"Hel"', b'"Hel\xff"')])
        assert heard.failure is None, (ingress, heard.failure)
        assert GRAMMARS[ingress](heard.whole)[0].text == "Hel\ufffdlo", ingress


@pytest.mark.parametrize("kind", KINDS)
async def test_a_call_whose_name_never_comes_is_no_answer(kind: str) -> None:
    """No client could run it; before anything was said another provider may be asked."""
    whole = clean_answer()
    whole["choices"][0]["message"]["tool_calls"][0]["function"].pop("name")
    nameless = [*clean_chunks()[:1], call(0, id="call_1", function={"arguments": "{}"}), *clean_chunks()[-2:]]
    stream = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in nameless) + b"data: [DONE]\n\n"

    for content_type, body in (("application/json", json.dumps(whole).encode()), ("text/event-stream", stream)):
        stage = Stage(kind, content_type)
        for ingress in stage.ingresses:
            heard = await stage.hear(ingress, [body])
            assert heard.failure is not None, (content_type, ingress)
