"""A model that is asked for the task, only where the words do not say it, and never to the harm of the request."""

import asyncio
import json

import pytest

from application.inference.calls import CallTrace, InferenceCall, PlainReply
from application.inference.task_asking import DEADLINE_SECONDS, TaskAsking
from application.routing.settings import LiveRoutingSettings, RoutingSettings
from domain.chat import ChatRequest
from domain.errors import AllCandidatesFailed
from domain.grants import Grants, Patterns
from domain.keys import Principal
from domain.tasks import Task
from tests.builders import a_chat_payload
from tests.fakes.clock import FakeClock
from tests.fakes.ids import CountingIds

UNCLEAR = "continue"
CLEAR = "Write a Python function that reverses a string, with unit tests."


class Asked:
    """Answers with what it was given, and keeps what it was asked."""

    def __init__(self, said: str | Exception | None) -> None:
        self.said = said
        self.calls: list[InferenceCall[ChatRequest]] = []

    async def __call__(self, call: InferenceCall[ChatRequest]) -> PlainReply:
        self.calls.append(call)
        if self.said is None:
            await asyncio.Event().wait()
        if isinstance(self.said, Exception):
            raise self.said
        body = {"choices": [{"message": {"role": "assistant", "content": self.said}}]}
        return PlainReply(json.dumps(body).encode(), None)


def asking(model: str | None = "cheap/small") -> TaskAsking:
    settings = LiveRoutingSettings()
    settings.current = RoutingSettings(classifier_model=model)
    return TaskAsking(settings, CountingIds(), FakeClock())


def a_call(text: str, **fields: object) -> InferenceCall[ChatRequest]:
    payload = a_chat_payload(model="auto", messages=[{"role": "user", "content": text}], **fields)
    principal = Principal("virtual_key", "key_1", "ten_1", Grants((Patterns(["other/*"]),)))
    return InferenceCall(principal, payload, "req_1", 0.0, CallTrace())


@pytest.mark.parametrize(
    ("said", "task"),
    [("reasoning", Task.REASONING), (" Coding.\n", Task.CODING), ("It is agent_step", Task.AGENT_STEP)],
)
async def test_its_word_is_taken_where_the_words_do_not_say_it(said: str, task: Task) -> None:
    ask = Asked(said)

    reading = await asking().read(a_call(UNCLEAR), ask)

    assert reading is not None
    assert (reading.name, reading.source) == (task, "model")
    (call,) = ask.calls
    assert (call.request.model, call.principal.key_id, call.principal.grants) == ("cheap/small", "key_1", None)
    assert call.request_id != "req_1"
    assert UNCLEAR in bytes(call.payload.fields["messages"]).decode()


async def test_nobody_is_asked_what_the_words_say_or_the_request_does() -> None:
    ask = Asked("chat")

    by_words = await asking().read(a_call(CLEAR), ask)

    assert by_words is not None
    assert (by_words.name, by_words.source) == (Task.CODING, "heuristic")
    assert await asking().read(a_call(UNCLEAR, task="coding"), ask) is None
    assert await asking(None).read(a_call(UNCLEAR), ask) is None
    assert ask.calls == []


@pytest.mark.parametrize("said", ["no idea", "", AllCandidatesFailed("down", code="no_provider_available")])
async def test_without_a_word_of_it_the_request_goes_on(said: str | Exception) -> None:
    reading = await asking().read(a_call(UNCLEAR), Asked(said))

    assert reading is not None
    assert (reading.name, reading.source) == (None, "heuristic")


@pytest.mark.virtual_time
async def test_it_has_two_seconds() -> None:
    began = asyncio.get_running_loop().time()

    reading = await asking().read(a_call(UNCLEAR), Asked(None))

    assert reading is not None
    assert reading.name is None
    assert asyncio.get_running_loop().time() - began == pytest.approx(DEADLINE_SECONDS, abs=0.1)
