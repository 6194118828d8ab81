"""Each dialect that translates chat holds what arrives to its own API's ranges, and reports what it cut.

The middle form carries every stop sequence, `top_k`, and numbers in OpenAI's ranges: a value that another API takes
must never become this API's 400.
"""

from typing import Any

import msgspec
import pytest

from adapters.dialects.anthropic.chat import AnthropicChat
from adapters.dialects.bedrock.converse import BedrockConverse
from adapters.dialects.cohere.chat import CohereChat
from adapters.dialects.gemini.chat import GeminiChat
from adapters.dialects.ollama.chat import OllamaChat
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from tests.unit.adapters.dialects.anthropic import samples as anthropic
from tests.unit.adapters.dialects.bedrock import samples as bedrock
from tests.unit.adapters.dialects.cohere import samples as cohere
from tests.unit.adapters.dialects.gemini import samples as gemini
from tests.unit.adapters.dialects.ollama import samples as ollama

DIALECTS: dict[str, Any] = {
    "anthropic": (AnthropicChat(anthropic.NATIVE), anthropic.chat_call, "claude-sonnet-4-5"),
    "converse claude": (BedrockConverse(), bedrock.a_call, bedrock.CLAUDE),
    "converse nova": (BedrockConverse(), bedrock.a_call, bedrock.NOVA),
    "cohere": (CohereChat(), cohere.a_call, cohere.COMMAND),
    "gemini": (GeminiChat(), gemini.a_call, "gemini-2.5-flash"),
    "ollama": (OllamaChat(), ollama.a_call, "llama3.2:3b"),
}
SIX = ["a", "b", "c", "d", "e", "f"]
MANY = [str(number) for number in range(2501)]

CUT: list[tuple[str, dict[str, Any], str, object]] = [
    ("anthropic", {"stop": [" ", "a"]}, "stop_sequences", ["a"]),
    ("anthropic", {"temperature": 1.5}, "temperature", 1),
    ("converse claude", {"stop": ["", "\n", "a"]}, "inferenceConfig.stopSequences", ["a"]),
    ("converse claude", {"temperature": 2}, "inferenceConfig.temperature", 1),
    ("converse claude", {"top_k": 501}, "additionalModelRequestFields.top_k", 500),
    ("converse nova", {"stop": ["", "a"]}, "inferenceConfig.stopSequences", ["a"]),
    ("converse nova", {"stop": MANY}, "inferenceConfig.stopSequences", MANY[:2500]),
    ("converse nova", {"top_k": 129}, "additionalModelRequestFields.inferenceConfig.topK", 128),
    ("cohere", {"stop": SIX}, "stop_sequences", SIX[:5]),
    ("cohere", {"top_k": 501}, "k", 500),
    ("cohere", {"top_p": 0}, "p", 0.01),
    ("cohere", {"top_p": 0.999}, "p", 0.99),
    ("cohere", {"frequency_penalty": 1.5}, "frequency_penalty", 1),
    ("cohere", {"presence_penalty": -1}, "presence_penalty", 0),
    ("gemini", {"stop": SIX}, "generationConfig.stopSequences", SIX[:5]),
    ("gemini", {"frequency_penalty": 2}, "generationConfig.frequencyPenalty", 1.99),
    ("gemini", {"presence_penalty": 2}, "generationConfig.presencePenalty", 1.99),
    ("gemini", {"seed": 2**31}, "generationConfig.seed", None),
    ("ollama", {"stop": ["", "a"]}, "options.stop", ["a"]),
]

KEPT: list[tuple[str, dict[str, Any], str, object]] = [
    ("anthropic", {"stop": SIX}, "stop_sequences", SIX),
    ("anthropic", {"top_k": 40}, "top_k", 40),
    ("anthropic", {"top_k": 0}, "top_k", None),
    ("anthropic", {"temperature": 1}, "temperature", 1),
    ("converse claude", {"stop": SIX}, "inferenceConfig.stopSequences", SIX),
    ("converse claude", {"top_k": 500}, "additionalModelRequestFields.top_k", 500),
    ("converse claude", {"top_k": -1}, "additionalModelRequestFields.top_k", None),
    ("converse nova", {"stop": ["\n"]}, "inferenceConfig.stopSequences", ["\n"]),
    ("converse nova", {"top_k": 128}, "additionalModelRequestFields.inferenceConfig.topK", 128),
    ("cohere", {"stop": SIX[:5]}, "stop_sequences", SIX[:5]),
    ("cohere", {"top_k": 500}, "k", 500),
    ("cohere", {"top_p": 1}, "p", 0.99),
    ("gemini", {"stop": SIX[:5]}, "generationConfig.stopSequences", SIX[:5]),
    ("gemini", {"top_k": 64}, "generationConfig.topK", 64),
    ("gemini", {"top_k": -1}, "generationConfig.topK", None),
    ("gemini", {"frequency_penalty": -2}, "generationConfig.frequencyPenalty", -2),
    ("gemini", {"seed": 2**31 - 1}, "generationConfig.seed", 2**31 - 1),
    ("ollama", {"stop": SIX}, "options.stop", SIX),
    ("ollama", {"top_k": 40}, "options.top_k", 40),
]


@pytest.mark.parametrize(("dialect", "fields", "path", "sent"), CUT, ids=lambda value: str(value)[:40])
def test_what_is_out_of_range_is_cut_and_reported(
    dialect: str, fields: dict[str, Any], path: str, sent: object
) -> None:
    assert _sent(dialect, fields, path) == (sent, tuple(fields))


@pytest.mark.parametrize(("dialect", "fields", "path", "sent"), CUT, ids=lambda value: str(value)[:40])
def test_what_would_be_cut_is_refused_to_a_strict_key(
    dialect: str,
    fields: dict[str, Any],
    path: str,
    sent: object,
) -> None:
    encoder, call, model = DIALECTS[dialect]

    with pytest.raises(UpstreamFailure) as caught:
        encoder.encode(call(model, strict=True, **fields), stream=False)

    assert (caught.value.kind, caught.value.param) == (FailureKind.UNSUPPORTED, *fields)


@pytest.mark.parametrize(("dialect", "fields", "path", "sent"), KEPT, ids=lambda value: str(value)[:40])
def test_what_is_in_range_arrives_and_is_not_reported(
    dialect: str, fields: dict[str, Any], path: str, sent: object
) -> None:
    assert _sent(dialect, fields, path) == (sent, ())


def _sent(dialect: str, fields: dict[str, Any], path: str) -> tuple[object, tuple[str, ...]]:
    """The value at this path of the body, and what is reported."""
    encoder, call, model = DIALECTS[dialect]
    made = encoder.encode(call(model, **fields), stream=False)
    found: Any = msgspec.json.decode(made.body)
    for name in path.split("."):
        found = found.get(name) if found is not None else None
    return found, made.dropped
