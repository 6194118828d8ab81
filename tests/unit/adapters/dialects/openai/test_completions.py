"""Legacy completions, passed on: what goes out, what comes back, whole and in pieces."""

import json
from typing import Any

import pytest

from adapters.dialects.openai.completions import OpenAICompletions
from adapters.dialects.openai.quirks import EndpointQuirks, Quirks
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import TokenUsage
from tests.unit.adapters.dialects.openai.endpoint_calls import (
    completion_call,
    never_complete_when_cut,
    played,
    splits,
)
from tests.unit.adapters.dialects.openai.samples import SECRET

DIALECT = OpenAICompletions(Quirks(), EndpointQuirks())
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
ANSWER: dict[str, Any] = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1,
    "model": "served",
    "choices": [{"index": 0, "text": "wörld", "logprobs": None, "finish_reason": "stop"}],
    "usage": USAGE,
}


def chunk(text: str = "", finish: str | None = None, index: int = 0, **fields: Any) -> bytes:
    choice = {"index": index, "text": text, "logprobs": None, "finish_reason": finish}
    head = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "served"}
    return b"data: " + json.dumps(head | {"choices": [choice]} | fields).encode() + b"\n\n"


TEXT = chunk("wör") + chunk("ld", index=1) + chunk("ld") + chunk(finish="stop", index=1) + chunk(finish="length")
LAST = chunk(choices=[], usage=USAGE)
DONE = b"data: [DONE]\n\n"


def sent(call: Any, dialect: OpenAICompletions = DIALECT, *, stream: bool = False) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(dialect.encode(call, stream=stream).body)
    return body


@pytest.mark.parametrize("prompt", ["hi", ["a", "b"], [1, 2, 3], [[1, 2], [3]], [""]])
def test_any_prompt_goes_out_as_it_came_with_the_deployments_model(prompt: Any) -> None:
    call = completion_call(prompt=prompt, n=2, echo=True, suffix="end", top_k=5, seed=None, provider={"only": ["x"]})

    assert sent(call) == {
        "model": "asked-model", "prompt": prompt, "n": 2, "echo": True, "suffix": "end", "top_k": 5
    }  # fmt: skip


def test_no_field_of_a_body_chooses_a_destination() -> None:
    """S-07."""
    encoded = DIALECT.encode(completion_call(api_base="https://evil.example", api_key="k"), stream=False)

    assert json.loads(encoded.body) == {"model": "asked-model", "prompt": "hi"}
    assert encoded.dropped == ("api_base", "api_key")


def test_usage_is_always_asked_of_a_stream() -> None:
    """R-22."""
    plain = sent(completion_call(), stream=True)
    received = sent(completion_call(stream_options={"include_obfuscation": False}), stream=True)
    unknown = OpenAICompletions(Quirks(stream_usage=False), EndpointQuirks())

    assert plain["stream_options"] == {"include_usage": True}
    assert received["stream_options"] == {"include_obfuscation": False, "include_usage": True}
    assert "stream_options" not in sent(completion_call(stream_options={}), unknown, stream=True)


def test_what_the_upstream_does_not_know_is_dropped_or_refused_by_name() -> None:
    quirks = Quirks(drop=frozenset({"logit_bias", "tools"}), refused=frozenset({"n"}))
    dialect = OpenAICompletions(quirks, EndpointQuirks(drop=frozenset({"user"})), ("seed",))

    encoded = dialect.encode(completion_call(logit_bias={"1": 1}, user="u", seed=1, n=1), stream=False)
    with pytest.raises(UpstreamFailure) as several:
        dialect.encode(completion_call(n=2), stream=False)
    with pytest.raises(UpstreamFailure) as strict:
        dialect.encode(completion_call(user="u", strict=True), stream=False)

    assert encoded.dropped == ("logit_bias", "seed", "user")
    assert (several.value.kind, several.value.param) == (FailureKind.UNSUPPORTED, "n")
    assert (strict.value.kind, strict.value.param) == (FailureKind.UNSUPPORTED, "user")


def test_a_plain_answer_passes_as_the_bytes_it_came_in() -> None:
    body = json.dumps(ANSWER).encode()

    answer = DIALECT.read(body, completion_call(), "application/json")

    assert answer.body is body
    assert (answer.model, answer.usage) == ("served", TokenUsage(3, 2))


def test_what_typed_clients_need_is_added_and_text_is_kept_where_usage_never_came() -> None:
    answer = DIALECT.read(b'{"choices": [{"text": "a"}, {"text": "b"}]}', completion_call(), "application/json")

    received = json.loads(answer.body)
    assert received["id"].startswith("cmpl-")
    assert (received["object"], received["model"]) == ("text_completion", "asked-model")
    assert (answer.usage, answer.output_text) == (None, "a\nb")


@pytest.mark.parametrize("body", [b"", b"[]", b'{"choices": []}', b'{"choices": 3}', b"<html>", b'{"error": "no"}'])
def test_what_is_no_answer_is_a_failure(body: bytes) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        DIALECT.read(body, completion_call(), "application/json")

    assert caught.value.kind is FailureKind.SERVER_ERROR


@pytest.mark.parametrize("include_usage", [False, True])
def test_a_stream_passes_and_its_usage_only_where_asked_for(include_usage: bool) -> None:
    """R-22."""
    decoder = DIALECT.decoder(completion_call(include_usage=include_usage), "text/event-stream")

    received = played(decoder, TEXT + LAST + DONE)

    events = [json.loads(event[6:]) for event in received.split(b"\n\n")[:-1]]
    texts = ["".join(c["text"] for e in events for c in e["choices"] if c["index"] == place) for place in (0, 1)]
    assert texts == ["wörld", "ld"]
    assert [e["usage"] for e in events if "usage" in e] == ([None] * 5 + [USAGE] if include_usage else [])
    assert decoder.done
    assert (decoder.usage, decoder.model) == (TokenUsage(3, 2), "served")
    assert decoder.output_text() == "wörldld"
    assert decoder.output_bytes == 8
    assert b"[DONE]" not in received
    assert decoder.ending == DONE


@pytest.mark.parametrize("seed", range(20))
def test_any_split_of_a_stream_gives_the_same(seed: int) -> None:
    """R-08."""
    stream = (b": ping\r\n\r\n" + TEXT + LAST + DONE).replace(b"\n\n", b"\r\n\r\n")
    whole = played(DIALECT.decoder(completion_call(include_usage=True), ""), stream)

    assert played(DIALECT.decoder(completion_call(include_usage=True), ""), stream, splits(seed)) == whole


def test_a_cut_stream_is_never_complete() -> None:
    """R-08."""
    never_complete_when_cut(lambda: DIALECT.decoder(completion_call(), ""), TEXT, len(TEXT) - 2)


def test_a_choice_that_has_ended_and_comes_along_once_more_without_text_is_still_ended() -> None:
    """With the usage some servers send the choice again, empty."""
    decoder = DIALECT.decoder(completion_call(), "")
    decoder.feed(b'data: {"id":"c","choices":[{"index":0,"text":"hi","finish_reason":"stop"}]}\n\n')
    again = b'"choices":[{"index":0,"text":"","finish_reason":null}]'
    decoder.feed(b'data: {"id":"c",%b,"usage":{"prompt_tokens":3,"completion_tokens":1}}\n\n' % again)
    decoder.finish()

    assert (decoder.done, decoder.failure) == (True, None)
    assert decoder.usage is not None
    assert decoder.usage.input_tokens == 3


def test_a_stream_without_done_is_complete_once_every_choice_has_ended() -> None:
    decoder = DIALECT.decoder(completion_call(), "")

    played(decoder, TEXT)

    assert decoder.done


@pytest.mark.parametrize(
    "stream",
    [
        b'data: {"error": {"message": "boom sk-upstream-canary-0123456789"}}\n\n',
        b"data: nonsense\n\n",
        b'data: {"choices": [[]]}\n\n',
        DONE,
    ],
)
def test_an_error_in_a_stream_is_a_failure_without_the_key(stream: bytes) -> None:
    """R-08, S-21."""
    decoder = DIALECT.decoder(completion_call(), "")

    played(decoder, stream)

    assert decoder.failure is not None
    assert decoder.failure.kind is FailureKind.SERVER_ERROR
    assert SECRET.reveal() not in decoder.failure.message


def test_an_event_without_end_is_given_up() -> None:
    decoder = DIALECT.decoder(completion_call(), "")

    decoder.feed(b"data: " + b"x" * (1024 * 1024 + 1))

    assert decoder.failure is not None


def test_a_plain_answer_instead_of_a_stream_is_told_as_one() -> None:
    call = completion_call()
    answer = DIALECT.read(json.dumps(ANSWER).encode(), call, "application/json")

    replayed = DIALECT.replay(answer, call)

    assert replayed.ending == DONE
    assert json.loads(replayed.events[6:])["choices"][0]["text"] == "wörld"


def test_ids_comments_and_chunks_that_say_nothing_are_left_out() -> None:
    """An `id` breaks the official client where pings follow."""
    stream = b"id: 7\n" + chunk("a") + b"event: ping\ndata: {}\n\n: hello\n\nretry: 5\n\n" + chunk(finish="stop") + DONE

    received = played(DIALECT.decoder(completion_call(), ""), stream)

    assert received == chunk("a") + chunk(finish="stop")
