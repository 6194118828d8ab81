"""What an answer says decides what it costs, to the cent, by the catalog's list prices (P-08, R-17)."""

import msgspec
import pytest

from adapters.dialects.anthropic.answer import Usage
from adapters.dialects.anthropic.native_stream import NativeStreamDecoder
from adapters.dialects.anthropic.stream import AnthropicStreamDecoder
from adapters.dialects.gemini.stream import GeminiStreamDecoder
from adapters.dialects.openai.answer import read_answer
from adapters.dialects.openai.quirks import Quirks
from adapters.dialects.openai.stream import ChatStreamDecoder
from adapters.dialects.responses.answer import Facts
from adapters.dialects.responses.stream import NativeStreamDecoder as ResponsesStreamDecoder
from adapters.prices.catalog import GenaiPricesCatalog
from adapters.wire.call import AnswerFacts, DialectCall
from domain.chat import ChatRequest
from domain.messages import MessagesRequest
from domain.money import usd
from domain.payload import Payload
from domain.prices import ALWAYS, Booking, PriceRow, booked
from domain.usage import BillingFacts, TokenUsage
from tests.builders import NOW

CATALOG = GenaiPricesCatalog()


def booking(preset: str, model: str, usage: TokenUsage | None) -> Booking:
    found = CATALOG.find(preset, model, NOW).price
    assert found is not None
    assert usage is not None
    return booked(usage, PriceRow("price_1", preset, model, found.prices, CATALOG.source, ALWAYS))


def cost(preset: str, model: str, usage: TokenUsage | None) -> str:
    found = booking(preset, model, usage)
    assert found.missing == ()
    assert found.cost_nano_usd is not None
    return usd(found.cost_nano_usd)


def completion(input_tokens: int, output_tokens: int, **more: object) -> dict[str, object]:
    message = {"role": "assistant", "content": "ok"}
    usage = {"prompt_tokens": input_tokens, "completion_tokens": output_tokens}
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": usage | {"total_tokens": input_tokens + output_tokens},
        **more,
    }


def read(answer: dict[str, object]) -> TokenUsage | None:
    return read_answer(msgspec.json.encode(answer), AnswerFacts("m", None, lambda: 0.0), Quirks()).usage


def streamed(*chunks: dict[str, object]) -> TokenUsage | None:
    decoder = ChatStreamDecoder(AnswerFacts("m", None, lambda: 0.0), Quirks(), include_usage=False)
    for chunk in chunks:
        decoder.feed(b"data: " + msgspec.json.encode({"id": "1", "created": 1, "model": "m"} | chunk) + b"\n\n")
    decoder.feed(b"data: [DONE]\n\n")
    return decoder.usage


def test_at_a_threshold_the_whole_request_moves() -> None:
    assert cost("openai", "gpt-5.4", read(completion(272_000, 0))) == "0.68"
    assert cost("openai", "gpt-5.4", read(completion(300_000, 0))) == "1.50", "5.00 a million, all of it"
    assert cost("anthropic", "claude-haiku-5-5", read(completion(100_000, 0))) == "0.01"
    assert cost("anthropic", "claude-haiku-5-5", read(completion(150_000, 0))) == "0.075"


@pytest.mark.parametrize(
    ("tier", "right"),
    [("priority", "0.045"), ("flex", "0.01125"), ("default", "0.0225"), ("auto", "0.0225"), (None, "0.0225")],
)
def test_the_answers_service_tier_is_what_is_charged(tier: str | None, right: str) -> None:
    assert cost("openai", "gpt-5.4", read(completion(3_000, 1_000, service_tier=tier))) == right


def test_a_stream_says_its_tier_in_any_of_its_chunks() -> None:
    begun: dict[str, object] = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "a"}}]}
    ended: dict[str, object] = {"choices": [], "usage": completion(3_000, 1_000)["usage"]}
    first = streamed(begun | {"service_tier": "priority"}, ended)
    last = streamed(begun, ended | {"service_tier": "priority"})
    assert first == last == read(completion(3_000, 1_000, service_tier="priority"))


def test_a_stream_that_cites_pages_in_its_last_chunk_has_searched() -> None:
    source = {"type": "url_citation", "url_citation": {"url": "u", "title": "t"}}
    delta = {"role": "assistant", "content": "a", "annotations": [source]}
    last: dict[str, object] = {"choices": [{"index": 0, "delta": delta, "finish_reason": "stop"}]}
    usage = streamed(last | {"usage": completion(10, 5)["usage"]})
    assert usage == TokenUsage(10, 5, billing=BillingFacts(counts={"web_search": 1}))


def test_a_tier_whose_price_nobody_knows_is_told() -> None:
    found = booking("openai", "gpt-4.1", read(completion(3_000, 1_000, service_tier="scale")))
    assert found.missing == ("service_tier:scale",)
    assert found.cost_nano_usd == 14_000_000, "what is known of it"


def test_a_tier_that_is_no_text_is_no_tier() -> None:
    assert read(completion(10, 1, service_tier=["priority"])) == TokenUsage(10, 1)


def test_fast_with_searches_costs_the_fast_price_and_each_search() -> None:
    """2,000 at 10.00 and 900 at 50.00 USD a million, three searches at 0.01 each."""
    usage = Usage(2_000, output_tokens=900, speed="fast", server_tool_use={"web_search_requests": 3}).tokens()
    assert cost("anthropic", "claude-opus-4-8", usage) == "0.095"


def chat_call(model: str = "m") -> DialectCall[ChatRequest]:
    return DialectCall(Payload(ChatRequest(model=model, messages=[]), {}), model, None, lambda: 0.0)


def messages_stream(*, native: bool) -> TokenUsage | None:
    """A stream of Anthropic's that searches twice, runs code and is fast."""
    decoder: NativeStreamDecoder | AnthropicStreamDecoder
    if native:
        request = MessagesRequest(model="m", max_tokens=1, messages=[])
        decoder = NativeStreamDecoder(DialectCall(Payload(request, {}), "m", None, lambda: 0.0))
    else:
        decoder = AnthropicStreamDecoder(chat_call(), by_tool=False)
    used = [("web_search", 0), ("web_search", 1), ("code_execution", 2)]
    events: list[dict[str, object]] = [
        {"type": "message_start", "message": {"id": "1", "model": "m", "usage": {"input_tokens": 10, "speed": "fast"}}},
        *(
            {"type": "content_block_start", "index": at, "content_block": {"type": "server_tool_use", "name": name}}
            for name, at in used
        ),
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"output_tokens": 5, "server_tool_use": {"web_search_requests": 2}},
        },
        {"type": "message_stop"},
    ]
    for event in events:
        decoder.feed(b"event: %b\ndata: %b\n\n" % (str(event["type"]).encode(), msgspec.json.encode(event)))
    assert decoder.failure is None
    return decoder.usage


@pytest.mark.parametrize("native", [True, False])
def test_a_stream_of_messages_says_its_speed_and_what_it_called(native: bool) -> None:
    facts = BillingFacts(speed="fast", counts={"web_search": 2, "code_execution": 1})
    assert messages_stream(native=native) == TokenUsage(10, 5, billing=facts)


def test_a_stream_of_gemini_is_charged_for_its_searches_once() -> None:
    decoder = GeminiStreamDecoder(chat_call("gemini-3-pro"))
    grounded: dict[str, object] = {"groundingMetadata": {"webSearchQueries": ["a", "b"]}}
    chunks: list[dict[str, object]] = [{}, grounded, grounded | {"finishReason": "STOP"}]
    for more in chunks:
        candidate: dict[str, object] = {"index": 0, "content": {"parts": [{"text": "a"}]}, **more}
        usage = {"promptTokenCount": 10, "candidatesTokenCount": 5}
        decoder.feed(b"data: " + msgspec.json.encode({"candidates": [candidate], "usageMetadata": usage}) + b"\n\n")
    assert decoder.usage == TokenUsage(10, 5, billing=BillingFacts(counts={"web_search": 2}))


def test_a_stream_of_responses_is_charged_for_its_last_events_calls() -> None:
    decoder = ResponsesStreamDecoder(Facts("openai", "gpt-5.4", Quirks(), None, 0.0))
    search = {"type": "web_search_call", "status": "completed", "action": {"type": "search"}}
    response = {
        "id": "resp_1",
        "status": "completed",
        "service_tier": "priority",
        "output": [search],
        "usage": {"input_tokens": 10, "output_tokens": 5},
    }
    event = msgspec.json.encode({"type": "response.completed", "response": response})
    decoder.feed(b"event: response.completed\ndata: " + event + b"\n\n")
    assert decoder.usage == TokenUsage(10, 5, billing=BillingFacts("priority", counts={"web_search": 1}))
