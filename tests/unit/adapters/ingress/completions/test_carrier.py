"""Legacy completions over chat: several prompts and choices, echo, streams that interleave, and what is refused."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from typing_extensions import override

from adapters.ingress.completions.carrier import MAX_PROMPTS, CompletionsOverChat
from adapters.wire.chat_answer import usage_json
from domain.availability import RateLimitWindow
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.ports.providers import ChatProvider, ProviderAnswer, ProviderCall, ProviderStream
from domain.usage import TokenUsage
from tests.builders import a_provider_key
from tests.contracts.providers.test_chat_providers import Progress
from tests.unit.adapters.providers.calls import a_payload, read

pytestmark = pytest.mark.virtual_time

USAGE = TokenUsage(3, 2)


def event(**fields: Any) -> bytes:
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "served"}
    return b"data: " + json.dumps(head | fields).encode() + b"\n\n"


def delta(index: int = 0, finish: str | None = None, **said: Any) -> bytes:
    return event(choices=[{"index": index, "delta": said, "finish_reason": finish}])


class Echoing(ChatProvider):
    """Says each prompt's words back, a choice for each that was asked for. Failures and silence by a prompt's text."""

    def __init__(self, usage: TokenUsage | None = USAGE) -> None:
        self.usage = usage
        self.asked: list[ProviderCall[ChatRequest]] = []
        self.under_way = 0
        self.most = 0
        self.closed = 0

    @override
    async def complete(self, call: ProviderCall[ChatRequest]) -> ProviderAnswer:
        text = await self._heard(call)
        choices = [
            {"index": i, "message": {"role": "assistant", "content": f"{text}!{i}"}, "finish_reason": "tool_calls"}
            for i in range(call.payload.value.n or 1)
        ]
        body = json.dumps({"id": "c", "model": "served", "choices": choices}).encode()
        limits = (RateLimitWindow("requests", "minute", 5, 4, 1.0),)
        return ProviderAnswer(body, "served", self.usage, limits, ("seed",), "" if self.usage else text)

    @override
    async def stream(self, call: ProviderCall[ChatRequest]) -> ProviderStream:
        return EchoStream(self, await self._heard(call), call.payload.value.n or 1)

    async def _heard(self, call: ProviderCall[ChatRequest]) -> str:
        self.asked.append(call)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            content = call.payload.value.messages[0].content
            assert isinstance(content, str)
            await asyncio.sleep(0)
            if content == "fail":
                raise UpstreamFailure(FailureKind.RATE_LIMITED, "slow down", status=429)
            if content == "wait":
                await asyncio.Event().wait()
        finally:
            self.under_way -= 1
        return content


class EchoStream(ProviderStream):
    def __init__(self, owner: Echoing, text: str, n: int) -> None:
        self.model = "served"
        self.usage: TokenUsage | None = None
        self.has_content = False
        self.output_bytes = 0
        self.limits: tuple[RateLimitWindow, ...] = ()
        self.dropped_params: tuple[str, ...] = ()
        self.ending = b"data: [DONE]\n\n"
        self.content_type = "text/event-stream"
        self._owner = owner
        self._text = text
        self._n = n

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        for index in range(self._n):
            yield delta(index, role="assistant", content="")
            for letter in self._text:
                await asyncio.sleep(0)
                self.has_content, self.output_bytes = True, self.output_bytes + 1
                yield delta(index, content=letter)
            if self._text == "broken":
                raise UpstreamFailure(FailureKind.TRUNCATED, "cut", status=200)
            yield delta(index, "length")
        self.usage = self._owner.usage

    @override
    def output_text(self) -> str:
        return self._text

    @override
    async def aclose(self) -> None:
        self._owner.closed += 1


def call(*, include_usage: bool = False, strict: bool = False, **fields: Any) -> ProviderCall[Any]:
    payload = a_payload("completions", **fields)
    return ProviderCall(payload, "model-x", a_provider_key(), include_usage, Progress(), strict)


async def choices(chat: Echoing, **fields: Any) -> list[tuple[int, str]]:
    answer = await CompletionsOverChat(chat).complete(call(**fields))
    return [(choice["index"], choice["text"]) for choice in json.loads(answer.body)["choices"]]


async def test_a_prompt_becomes_one_message_and_its_parameters_stay() -> None:
    chat = Echoing()

    answer = await CompletionsOverChat(chat, now=lambda: 77.5).complete(
        call(prompt="hi", max_tokens=4, stop=["x"], logit_bias={"1": 2}, top_k=5, user="u", tools=[], stream=False)
    )

    received = json.loads(answer.body)
    assert received.pop("id").startswith("cmpl-")
    assert received == {
        "object": "text_completion",
        "created": 77,
        "model": "served",
        "choices": [{"index": 0, "text": "hi!0", "logprobs": None, "finish_reason": "stop"}],
        "usage": usage_json(USAGE),
    }
    asked = chat.asked[0].payload
    assert set(asked.fields) == {"model", "messages", "max_tokens", "stop", "logit_bias", "top_k", "user", "stream"}
    assert asked.value.max_tokens == 4
    assert (answer.usage, answer.model, answer.dropped_params) == (USAGE, "served", ("seed",))
    assert answer.limits[0].remaining == 4


async def test_prompts_run_beside_each_other_and_choices_are_numbered_prompt_by_prompt() -> None:
    chat = Echoing()

    received = await choices(chat, prompt=["a", "b", "c"], n=2)

    assert received == [(0, "a!0"), (1, "a!1"), (2, "b!0"), (3, "b!1"), (4, "c!0"), (5, "c!1")]
    assert chat.most == 3


async def test_usage_is_the_sum_and_unknown_where_a_part_is() -> None:
    """R-22."""
    known = await CompletionsOverChat(Echoing()).complete(call(prompt=["a", "b"]))
    unknown = await CompletionsOverChat(Echoing(usage=None)).complete(call(prompt=["a", "b"]))

    assert known.usage == TokenUsage(6, 4)
    assert json.loads(known.body)["usage"]["total_tokens"] == 10
    assert (unknown.usage, unknown.output_text) == (None, "a\nb")
    assert "usage" not in json.loads(unknown.body)


async def test_echo_puts_the_prompt_before_each_answer() -> None:
    assert await choices(Echoing(), prompt=["a", "b"], echo=True) == [(0, "aa!0"), (1, "bb!0")]


async def test_token_ids_become_text() -> None:
    assert await choices(Echoing(), prompt=[15339, 1917]) == [(0, "hello world!0")]
    assert await choices(Echoing(), prompt=[[15339], [1917]]) == [(0, "hello!0"), (1, " world!0")]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"logprobs": 2}, "logprobs"),
        ({"suffix": "end"}, "suffix"),
        ({"max_tokens": 0, "echo": True}, "max_tokens"),
        ({"prompt": ["x"] * (MAX_PROMPTS + 1)}, "prompt"),
        ({"prompt": [10**9]}, "prompt"),
        ({"best_of": 3, "strict": True}, "best_of"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_what_chat_cannot_carry_is_refused_by_name(fields: dict[str, Any], param: str, stream: bool) -> None:
    chat = Echoing()
    over = CompletionsOverChat(chat)

    with pytest.raises(UpstreamFailure) as caught:
        await (over.stream if stream else over.complete)(call(**({"prompt": "hi"} | fields)))

    assert (caught.value.kind, caught.value.param) == (FailureKind.UNSUPPORTED, param)
    assert chat.asked == []


async def test_best_of_is_dropped_only_where_it_asks_for_more_than_is_made() -> None:
    more = await CompletionsOverChat(Echoing()).complete(call(prompt="a", best_of=3, n=2))
    same = await CompletionsOverChat(Echoing()).complete(call(prompt="a", best_of=2, n=2, suffix="", logprobs=None))

    assert more.dropped_params == ("best_of", "seed")
    assert same.dropped_params == ("seed",)


async def test_the_first_failure_gives_the_other_calls_up() -> None:
    """R-02."""
    chat = Echoing()

    with pytest.raises(UpstreamFailure, match="slow down"):
        await CompletionsOverChat(chat).complete(call(prompt=["wait", "fail"]))

    assert chat.under_way == 0


async def test_a_cancelled_request_leaves_no_call_behind() -> None:
    """R-02."""
    chat = Echoing()
    task = asyncio.ensure_future(CompletionsOverChat(chat).complete(call(prompt=["wait", "wait"])))
    await asyncio.sleep(0.01)
    assert chat.under_way == 2

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert chat.under_way == 0


async def test_streams_that_were_opened_are_closed_where_another_fails() -> None:
    chat = Echoing()

    with pytest.raises(UpstreamFailure):
        await CompletionsOverChat(chat).stream(call(prompt=["a", "fail"], stream=True))

    assert chat.closed == 1


@pytest.mark.parametrize("prompts", [["hey"], ["abc", "de"], ["x", "yy", "zzz"]])
@pytest.mark.parametrize("include_usage", [False, True])
async def test_streams_interleave_by_index(prompts: list[str], include_usage: bool) -> None:
    chat = Echoing()

    stream = await CompletionsOverChat(chat).stream(
        call(prompt=prompts, n=2, echo=True, stream=True, include_usage=include_usage)
    )
    events = await read(stream)

    texts = dict.fromkeys(range(len(prompts) * 2), "")
    ended = []
    for received in events:
        assert received["object"] == "text_completion"
        for choice in received["choices"]:
            texts[choice["index"]] += choice["text"]
            if choice["finish_reason"]:
                ended.append((choice["index"], choice["finish_reason"]))
    assert list(texts.values()) == [prompt + prompt for prompt in prompts for _ in range(2)]
    assert sorted(ended) == [(place, "length") for place in range(len(texts))]
    assert len({received["id"] for received in events}) == 1
    total = TokenUsage(3 * len(prompts), 2 * len(prompts))
    assert stream.usage == total
    assert (events[-1].get("usage") == usage_json(total)) is include_usage
    assert all(("usage" in received) is include_usage for received in events)
    assert (stream.ending, stream.has_content) == (b"data: [DONE]\n\n", True)
    assert stream.output_text() == "\n".join(prompts)
    assert chat.closed == len(prompts)


@pytest.mark.parametrize("prompts", [["broken"], ["broken", "longer than that", "x"]])
async def test_a_stream_that_breaks_is_the_failure_of_all(prompts: list[str]) -> None:
    """R-08."""
    chat = Echoing()
    stream = await CompletionsOverChat(chat).stream(call(prompt=prompts, stream=True))

    with pytest.raises(UpstreamFailure, match="cut"):
        await read(stream)

    assert chat.closed == len(prompts)


async def test_a_stream_that_is_left_midway_stops_its_readers() -> None:
    """R-02."""
    chat = Echoing()
    stream = await CompletionsOverChat(chat).stream(call(prompt=["abc" * 50, "de" * 50], stream=True))

    async for _ in stream:
        break
    await stream.aclose()
    await stream.aclose()

    assert chat.closed == 4  # closing twice is harmless
    assert len(asyncio.all_tasks()) == 1
