"""The official openai client works unmodified: plain, streams, tools, schemas, parts, models and errors (E1)."""

import json
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolUnionParam
from pydantic import BaseModel

from tests.e2e.conftest import AddUpstream
from tests.e2e.processes import Gateway, Simulator
from tests.waiting import wait_until

pytestmark = pytest.mark.process

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "grüß dich wörld"}]
TOOLS: list[ChatCompletionToolUnionParam] = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": "says something",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
    for name in ("weather", "time")
]


class Place(BaseModel):
    """What a structured answer must be."""

    city: str
    population: int


def test_a_plain_answer_has_text_usage_and_a_request_id(gateway: Gateway, upstream: str) -> None:
    answer = gateway.openai().chat.completions.create(model=f"{upstream}/sim-echo", messages=HELLO)

    assert answer.choices[0].message.content == "grüß dich wörld"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 6
    assert answer._request_id


def test_a_plain_answer_says_who_served_it(gateway: Gateway, upstream: str) -> None:
    raw = gateway.openai().chat.completions.with_raw_response.create(model=f"{upstream}/sim-echo", messages=HELLO)

    assert raw.headers["x-omg-provider"] == upstream
    assert raw.headers["x-omg-model"] == "sim-echo"
    assert raw.headers["x-omg-attempts"] == "1"
    assert raw.headers["x-omg-decision"]
    assert float(raw.headers["x-omg-overhead-ms"]) >= 0


def test_a_stream_has_the_same_text_and_no_usage_unless_asked(gateway: Gateway, upstream: str) -> None:
    chunks = list(gateway.openai().chat.completions.create(model=f"{upstream}/sim-echo", messages=HELLO, stream=True))

    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "grüß dich wörld"
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_a_stream_ends_with_the_usage_chunk_where_it_was_asked_for(gateway: Gateway, upstream: str) -> None:
    chunks = list(
        gateway.openai().chat.completions.create(
            model=f"{upstream}/sim-echo", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    )

    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 6
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_usage_is_always_asked_of_the_upstream(gateway: Gateway, upstream: str, simulator: Simulator) -> None:
    list(gateway.openai().chat.completions.create(model=f"{upstream}/sim-echo", messages=HELLO, stream=True))

    assert simulator.calls(upstream)[-1]["body"]["stream_options"]["include_usage"] is True


@pytest.mark.parametrize(("model", "names"), [("sim-tools", ["weather"]), ("sim-parallel-tools", ["weather", "time"])])
def test_tool_calls_arrive_plain_and_streamed_alike(
    gateway: Gateway, upstream: str, model: str, names: list[str]
) -> None:
    client = gateway.openai().chat.completions
    plain = client.create(model=f"{upstream}/{model}", messages=HELLO, tools=TOOLS, parallel_tool_calls=True)

    with client.stream(model=f"{upstream}/{model}", messages=HELLO, tools=TOOLS, parallel_tool_calls=True) as stream:
        streamed = stream.get_final_completion()

    for answer in (plain.choices[0], streamed.choices[0]):
        calls = [call for call in answer.message.tool_calls or [] if call.type == "function"]
        assert [call.function.name for call in calls] == names
        assert all(json.loads(call.function.arguments) == {"city": "grüß dich wörld"} for call in calls)
        assert len({call.id for call in calls}) == len(names)
        assert answer.finish_reason == "tool_calls"


def test_tool_results_go_back_with_their_history(gateway: Gateway, upstream: str, simulator: Simulator) -> None:
    history: list[ChatCompletionMessageParam] = [
        *HELLO,
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
    ]

    answer = gateway.openai().chat.completions.create(model=f"{upstream}/sim-echo", messages=history, tools=TOOLS)

    assert answer.choices[0].message.content == "sunny"
    assert simulator.calls(upstream)[-1]["body"]["messages"] == history


def test_a_schema_is_forwarded_and_its_answer_parsed(gateway: Gateway, upstream: str, simulator: Simulator) -> None:
    answer = gateway.openai().chat.completions.parse(
        model=f"{upstream}/sim-echo", messages=[{"role": "user", "content": "Oslo"}], response_format=Place
    )

    assert answer.choices[0].message.parsed == Place(city="Oslo", population=1)
    assert simulator.calls(upstream)[-1]["body"]["response_format"]["json_schema"]["strict"] is True


def test_image_parts_arrive_as_they_were_sent(gateway: Gateway, upstream: str, simulator: Simulator) -> None:
    image = "data:image/png;base64," + "iVBORw0KGgo" * 500
    parts: list[ChatCompletionMessageParam] = [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "what is"},
                {"type": "image_url", "image_url": {"url": image, "detail": "low"}},
            ],
        }
    ]

    answer = gateway.openai().chat.completions.create(model=f"{upstream}/sim-echo", messages=parts)

    assert answer.choices[0].message.content == "what is [image_url]"
    assert simulator.calls(upstream)[-1]["body"]["messages"] == parts


def test_logprobs_and_several_choices_arrive(gateway: Gateway, upstream: str) -> None:
    client = gateway.openai().chat.completions
    answer = client.create(model=f"{upstream}/sim-echo", messages=HELLO, n=3, logprobs=True, top_logprobs=2)

    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    for choice in answer.choices:
        assert choice.logprobs is not None
        assert [token.token for token in choice.logprobs.content or []] == ["grüß", " dich", " wörld"]
        assert all(len(token.top_logprobs) == 2 for token in choice.logprobs.content or [])


def test_several_choices_interleave_in_a_stream(gateway: Gateway, upstream: str) -> None:
    with gateway.openai().chat.completions.stream(
        model=f"{upstream}/sim-echo", messages=HELLO, n=2, logprobs=True
    ) as stream:
        answer = stream.get_final_completion()

    assert [choice.message.content for choice in answer.choices] == ["grüß dich wörld"] * 2
    assert all(choice.logprobs and len(choice.logprobs.content or []) == 3 for choice in answer.choices)


def test_every_parameter_and_every_unknown_field_reaches_the_upstream(
    gateway: Gateway, upstream: str, simulator: Simulator
) -> None:
    sent: dict[str, Any] = {
        "temperature": 0.3,
        "top_p": 0.9,
        "frequency_penalty": 0.1,
        "presence_penalty": -0.1,
        "seed": 7,
        "stop": ["END"],
        "logit_bias": {"50256": -100},
        "reasoning_effort": "low",
        "user": "u-1",
        "metadata": {"a": "b"},
    }
    unknown = {"top_k": 40, "min_p": 0.05, "vendor": {"deep": [1, {"x": None}]}}

    gateway.openai().chat.completions.create(model=f"{upstream}/sim-echo", messages=HELLO, extra_body=unknown, **sent)

    body = simulator.calls(upstream)[-1]["body"]
    assert {name: body[name] for name in sent | unknown} == sent | unknown
    assert body["model"] == "sim-echo"


def test_the_gateways_own_fields_stay_here(gateway: Gateway, upstream: str, simulator: Simulator) -> None:
    own = {"provider": {"only": [upstream]}, "models": [], "task": "chat", "priority": "cost", "latency": "low"}

    gateway.openai().chat.completions.create(model=f"{upstream}/sim-echo", messages=HELLO, extra_body=own)

    assert own.keys() & simulator.calls(upstream)[-1]["body"].keys() == set()


def test_reasoning_arrives_beside_the_text(gateway: Gateway, upstream: str) -> None:
    client = gateway.openai().chat.completions
    plain = client.create(model=f"{upstream}/sim-reasoning", messages=HELLO)
    streamed = list(client.create(model=f"{upstream}/sim-reasoning", messages=HELLO, stream=True))

    thoughts = [getattr(chunk.choices[0].delta, "reasoning_content", None) or "" for chunk in streamed]
    assert getattr(plain.choices[0].message, "reasoning_content", None) == "Let me think."
    assert "".join(thoughts) == "Let me think."
    assert "".join(chunk.choices[0].delta.content or "" for chunk in streamed) == "grüß dich wörld"


def test_the_legacy_token_limit_is_carried_over(gateway: Gateway, upstream: str) -> None:
    answer = gateway.openai().chat.completions.create(model=f"{upstream}/sim-echo", messages=HELLO, max_tokens=1)

    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("grüß", "length")


def test_models_are_listed_and_found_by_ids_with_a_slash(gateway: Gateway, add_upstream: AddUpstream) -> None:
    upstream = add_upstream(settings={"models": ["family/model:free"]})
    client = gateway.openai()

    listed = {model.id for model in client.models.list()}
    found = client.models.retrieve(f"{upstream}/family/model:free")

    assert f"{upstream}/family/model:free" in listed
    assert (found.id, found.object) == (f"{upstream}/family/model:free", "model")


def test_a_new_providers_models_are_read_by_themselves(gateway: Gateway, add_upstream: AddUpstream) -> None:
    upstream = add_upstream(models=["read-from-its-list"])
    client = gateway.openai(f"/{upstream}/v1")

    wait_until(lambda: "read-from-its-list" in {model.id for model in client.models.list()})


def test_an_unknown_model_is_not_found(gateway: Gateway, add_upstream: AddUpstream) -> None:
    add_upstream(models=["the-only-model"])
    client = gateway.openai()

    with pytest.raises(openai.NotFoundError) as on_retrieve:
        client.models.retrieve("no-such-model")
    with pytest.raises(openai.NotFoundError) as on_chat:
        client.chat.completions.create(model="no-such-model", messages=HELLO)

    assert on_retrieve.value.code == "model_not_found"
    assert on_chat.value.code == "model_not_found"


def test_a_wrong_body_is_a_bad_request_that_names_the_place(gateway: Gateway, upstream: str) -> None:
    wrong: Any = [{"role": "wizard", "content": "hi"}]

    with pytest.raises(openai.BadRequestError) as refused:
        gateway.openai().chat.completions.create(model=f"{upstream}/sim-echo", messages=wrong)

    assert refused.value.param == "messages.0.role"
    assert refused.value.type == "invalid_request_error"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("model", "longest"), [("sim-429-retry-7s", 7), ("sim-429", 60)])
def test_a_rate_limit_everywhere_is_a_rate_limit_with_a_wait(
    gateway: Gateway, upstream: str, stream: bool, model: str, longest: float
) -> None:
    """At the first refusal and at those that follow from it, also where the provider names no time."""
    for _ in range(2):
        with pytest.raises(openai.RateLimitError) as refused:
            gateway.openai().chat.completions.create(model=f"{upstream}/{model}", messages=HELLO, stream=stream)

        assert refused.value.code == "rate_limit_exceeded"
        assert 1 <= float(refused.value.response.headers["retry-after"]) <= longest


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        ("sim-401", 502, "upstream_auth_failed"),
        ("sim-500", 502, "upstream_error"),
        ("sim-503", 503, "overloaded"),
        ("sim-bad-json", 502, "upstream_invalid_response"),
        ("sim-html-200", 502, "upstream_invalid_response"),
        ("sim-302", 502, "upstream_error"),
    ],
)
def test_an_upstreams_own_trouble_is_never_the_clients_fault(
    gateway: Gateway, upstream: str, model: str, status: int, code: str
) -> None:
    with pytest.raises(openai.InternalServerError) as failed:
        gateway.openai().chat.completions.create(model=f"{upstream}/{model}", messages=HELLO)

    assert (failed.value.status_code, failed.value.code) == (status, code)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_clients_fault_seen_by_the_upstream_is_passed_on_and_never_repeated(
    gateway: Gateway, upstream: str, simulator: Simulator, status: int
) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        gateway.openai().chat.completions.create(model=f"{upstream}/sim-{status}", messages=HELLO)

    assert refused.value.status_code == status
    assert len(simulator.calls(upstream)) == 1


def test_a_wrong_key_fails_authentication(gateway: Gateway) -> None:
    with pytest.raises(openai.AuthenticationError) as refused:
        gateway.openai(api_key="sk-omg-wrong").models.list()

    assert refused.value.code == "invalid_api_key"
