"""One field of an answer in any odd form, of any dialect: told in the client's grammar, or a failure. Nothing breaks.

The rules of `odd_answers` say what is told; this says that no form nobody thought of leaves a client with less.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.contracts.ingress.driving import Stage
from tests.contracts.ingress.grammars import GRAMMARS
from tests.contracts.ingress.odd_answers import clean_chunks
from tests.contracts.ingress.test_whole_answers import UPSTREAMS

pytestmark = pytest.mark.slow

Place = tuple[str | int, ...]

ODD: Final[tuple[Any, ...]] = (None, [], {}, 5, "x", "", True, 1.5, [None])
TRANSLATED: Final = tuple(name for name, upstream in UPSTREAMS.items() if upstream.endpoint == "chat")

NOT_OURS: Final = {
    ("openai", ("choices", 0, "index")),  # which choice it is, its provider says
    ("openai", ("choices", 0, "message", "reasoning_content")),  # no field of OpenAI's: as it came
    ("anthropic", ("content", 0, "type")),  # another type is another block, with other fields
    ("anthropic", ("content", 1, "type")),
    ("anthropic", ("content", 2, "type")),
}
"""What is passed on as it came, by decision."""

_CHOICE: Final[Place] = ("choices", 0)
AS_THEY_CAME: Final[set[Place]] = {
    (*_CHOICE, "index"),
    (*_CHOICE, "delta", "reasoning_content"),
    ("id",),  # another id in each chunk is no client's concern
    (*_CHOICE, "finish_reason"),  # an end before the end is one
}
"""The same of chunks."""


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Each field and each entry within a value."""
    if at:
        yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from places(part, (*at, key))


def with_odd(value: Any, place: Place, odd: object) -> Any:
    changed = copy.deepcopy(value)
    holder = changed
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = odd
    return changed


async def told_or_refused(stage: Stage, ingress: str, body: bytes, what: object) -> None:
    heard = await stage.hear(ingress, [body])
    if heard.failure is None:
        try:
            GRAMMARS[ingress](heard.whole)
        except Exception as error:
            raise AssertionError(f"{ingress}: {what}: {heard.whole!r}") from error


@pytest.mark.parametrize(
    ("name", "ingress"),
    [
        *((name, ingress) for name in TRANSLATED for ingress in ("chat", "messages", "responses", "contents")),
        ("anthropic", "native messages"),
        ("gemini", "native contents"),
    ],
)
async def test_an_odd_field_of_a_whole_answer_is_told_in_grammar_or_refused(name: str, ingress: str) -> None:
    upstream = UPSTREAMS[name]
    stage = Stage(upstream.kind, "application/json")

    for number, place in enumerate(places(upstream.body)):
        for odd in ODD[number % 2 :: 2]:
            if (name, place) not in NOT_OURS:
                body = json.dumps(with_odd(upstream.body, place, odd)).encode()
                await told_or_refused(stage, ingress, body, (place, odd))


@pytest.mark.parametrize("ingress", ["chat", "completions", "messages", "responses", "contents"])
async def test_an_odd_field_of_a_chunk_is_told_in_grammar_or_refused(ingress: str) -> None:
    stage = Stage("openai", "text/event-stream")
    chunks = clean_chunks()

    for number, chunk in enumerate(chunks):
        for turn, place in enumerate(places(chunk)):
            if place in AS_THEY_CAME:
                continue
            for odd in ODD[(number + turn) % 3 :: 3]:
                changed = [*chunks[:number], with_odd(chunk, place, odd), *chunks[number + 1 :]]
                stream = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in changed)
                await told_or_refused(stage, ingress, stream + b"data: [DONE]\n\n", (number, place, odd))
