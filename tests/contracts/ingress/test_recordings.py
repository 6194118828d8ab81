"""Recorded streams of every upstream API at every ingress: the same words, and each format's own grammar."""

from typing import Any

import pytest

from tests.contracts.ingress.grammars import GRAMMARS, Told
from tests.contracts.ingress.recordings import BROKEN, RECORDINGS, Recording

SOUND = [recording for recording in RECORDINGS if recording.fails is None]
LONG = 'Grüße, "wörld" 🌍 — line one\nline two {"a": [1]}'
THOUGHT = "Let me think."
WEATHER = ("weather", {"city": LONG, "days": 1})
CLOCK = ("clock", {"city": LONG, "days": 1})

SIMULATED: dict[str, Told] = {
    "text": Told(LONG),
    "echo": Told(LONG),
    "no-usage": Told(LONG),
    "limited": Told("word1 word2 word3"),
    "thinking": Told(LONG, THOUGHT),
    "reasoning": Told(LONG, THOUGHT),
    "tools": Told(calls=(WEATHER, CLOCK)),
    "parallel-tools": Told(calls=(WEATHER, WEATHER)),
    "thoughtful-tools": Told("", THOUGHT, (WEATHER,)),
    "cohere/tools": Told("", "I will use a tool.", (WEATHER, CLOCK)),
}
"""What the simulator was told to say, whatever the API."""

SAID: dict[str, list[Told]] = {
    "openai/reasoning": [Told("A", "think")],
    "openai/rolerepeat": [Told("AB")],
    "openai/tooldictargs": [Told(calls=(("f", {"a": 1}),))],
    "openai/toolidx1": [Told(calls=(("f", {}),))],
    "openai/toolnoindex": [Told(calls=(("f", {}),))],
    "openai/toolrepeat": [Told(calls=(("f", {"a": 1}),))],
    "anthropic/thinking": [Told("A", "t")],
    "anthropic/thinknosig": [Told("A", "t")],
    "anthropic/tool": [Told(calls=(("f", {"a": 1}),))],
    "anthropic/toolbadjson": [Told(calls=(("f", '{"a":'),))],
    "anthropic/toolempty": [Told(calls=(("f", {}),))],
    "bedrock/converse_stream_text": [Told("Hello")],
    "bedrock/converse_stream_tool": [Told("ok", "", (("f", {"a": 1}),))],
    "bedrock/invoke_stream_claude": [Told("Hi")],
    "gemini/blocked": [Told()],
    "gemini/text": [Told("Hello, wörld 🌍.")],
    "gemini/thinking": [Told("Yes.", "**Weighing** it")],
    "gemini/tools": [Told("Looking.", "", (("weather", {"city": "Zürich", "days": 2}), ("clock", {})))],
    "gemini/two_candidates": [Told("aA"), Told("b")],
    "cohere/text": [Told("Hellö")],
    "cohere/thinking": [Told("Yes.", "Hm.")],
    "cohere/tools": [Told("", "I will look.", (("f", {"a": 1}), ("g", {})))],
    "ollama/text": [Told("Hellö")],
    "ollama/tools": [Told("", "Let me look.", (("f", {"a": 1, "b": ["ö"]}), ("g", {})))],
}
"""All others say `A`."""


def named(recording: Recording) -> str:
    return recording.name


def expected(recording: Recording) -> list[Told]:
    """What the recording says, choice by choice."""
    if recording.name.endswith("*"):
        name = recording.path.stem
        return [SIMULATED.get(f"{recording.kind}/{name}") or SIMULATED[name]]
    return SAID.get(recording.name, [Told("A")])


def heard_at(api: str, received: list[Told]) -> list[Told]:
    """What of it this API can carry: completions have text alone, messages and responses one choice."""
    if api == "completions":
        return [Told(choice.text) for choice in received]
    return received if api in {"chat", "contents"} else received[:1]


@pytest.mark.parametrize("recording", SOUND, ids=named)
async def test_every_ingress_says_the_same_in_its_own_grammar(recording: Recording) -> None:
    """R-08."""
    stage = recording.stage()
    usages: list[Any] = []

    for ingress, (api, _) in stage.ingresses.items():
        heard = await stage.hear(ingress, [recording.stream])
        assert heard.failure is None, (ingress, heard.failure)
        assert GRAMMARS[ingress](heard.whole) == heard_at(api, expected(recording)), ingress
        usages.append(heard.usage)

    assert usages == [usages[0]] * len(usages)


@pytest.mark.parametrize("recording", [r for r in RECORDINGS if r.fails is not None], ids=named)
async def test_a_stream_that_breaks_off_is_a_failure_of_its_kind_at_every_ingress(recording: Recording) -> None:
    """R-08."""
    stage = recording.stage()

    for ingress in stage.ingresses:
        heard = await stage.hear(ingress, [recording.stream])
        assert heard.failure is not None
        assert heard.failure.kind is recording.fails, ingress
        assert heard.ending == b""


def test_every_broken_recording_is_there() -> None:
    assert {recording.name for recording in RECORDINGS if recording.fails is not None} == BROKEN.keys()
