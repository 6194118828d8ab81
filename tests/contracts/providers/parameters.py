"""A minimal request for each endpoint, and for each of its parameters a value that changes what is asked for."""

from typing import Any

import msgspec

from adapters.dialects.openai.params import CHAT_PARAMS
from domain.audio import SpeechRequest
from domain.chat import ChatRequest
from domain.completions import CompletionRequest
from domain.embeddings import EmbeddingRequest
from domain.images import ImageEditRequest, ImageRequest
from domain.inference import GATEWAY_FIELDS, InferenceRequest
from domain.messages import MessagesRequest
from domain.moderations import ModerationRequest
from domain.payload import Payload
from domain.rerank import RerankRequest
from domain.responses import ResponsesRequest

TOOL = {"name": "look_up", "description": "Looks up", "parameters": {"type": "object", "properties": {}}}
FUNCTION_TOOL = {"type": "function", "function": TOOL}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}

REQUESTS: dict[str, tuple[type[InferenceRequest], dict[str, Any]]] = {
    "chat.completions": (ChatRequest, {"messages": [{"role": "user", "content": "hi"}]}),
    "completions": (CompletionRequest, {"prompt": "hi"}),
    "embeddings": (EmbeddingRequest, {"input": "hi"}),
    "images.generations": (ImageRequest, {"prompt": "a cat"}),
    "images.edits": (ImageEditRequest, {"prompt": "a cat", "images": [{"image_url": "https://pictures.example/1"}]}),
    "audio.speech": (SpeechRequest, {"input": "hi", "voice": "alloy"}),
    "moderations": (ModerationRequest, {"input": "hi"}),
    "rerank": (RerankRequest, {"query": "hi", "documents": ["hi"]}),
    "responses": (ResponsesRequest, {"input": "hi"}),
    "responses.input_tokens": (ResponsesRequest, {"input": "hi"}),
    "messages": (MessagesRequest, {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 64}),
}

SAMPLES: dict[str, Any] = {
    "audio": {"voice": "alloy", "format": "wav"},
    "background": "transparent",
    "best_of": 2,
    "conversation": "conv_1",
    "dimensions": 256,
    "echo": True,
    "encoding_format": "base64",
    "frequency_penalty": 0.5,
    "function_call": "auto",
    "functions": [TOOL],
    "include": ["message.output_text.logprobs"],
    "input_fidelity": "high",
    "instructions": "Be brief.",
    "logit_bias": {"50256": -100},
    "logprobs": True,
    "mask": {"image_url": "https://pictures.example/2"},
    "max_completion_tokens": 33,
    "max_output_tokens": 33,
    "max_tokens": 33,
    "max_tokens_per_doc": 64,
    "max_tool_calls": 2,
    "metadata": {"a": "b"},
    "modalities": ["text", "audio"],
    "moderation": {"model": "omni-moderation-latest"},
    "n": 2,
    "output_compression": 50,
    "output_config": {"effort": "low"},
    "output_format": "webp",
    "parallel_tool_calls": False,
    "partial_images": 1,
    "prediction": {"type": "content", "content": "hello"},
    "presence_penalty": 0.5,
    "previous_response_id": "resp_1",
    "prompt": {"id": "pmpt_1"},
    "prompt_cache_key": "k1",
    "prompt_cache_options": {"mode": "implicit"},
    "prompt_cache_retention": "24h",
    "quality": "high",
    "return_documents": True,
    "reasoning": {"effort": "low"},
    "reasoning_effort": "low",
    "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}},
    "safety_identifier": "u-1",
    "seed": 7,
    "service_tier": "flex",
    "size": "512x512",
    "speed": 1.5,
    "stop": ["END"],
    "stop_sequences": ["END"],
    "store": True,
    "stream_format": "sse",
    "style": "vivid",
    "suffix": "the end",
    "system": "Be brief.",
    "temperature": 0.25,
    "text": {"format": {"type": "json_object"}},
    "thinking": {"type": "enabled", "budget_tokens": 2048},
    "tool_choice": "required",
    "tools": [FUNCTION_TOOL],
    "top_k": 5,
    "top_logprobs": 3,
    "top_n": 1,
    "top_p": 0.75,
    "truncation": "auto",
    "user": "u-1",
    "verbosity": "low",
    "web_search_options": {"search_context_size": "low"},
}
_OF_ENDPOINT: dict[tuple[str, str], Any] = {
    ("completions", "logprobs"): 2,
    ("images.generations", "response_format"): "url",
    ("images.generations", "moderation"): "low",
    ("images.edits", "response_format"): "url",
    ("images.edits", "moderation"): "low",
    ("audio.speech", "response_format"): "wav",
    ("responses", "background"): True,
    ("responses", "tools"): [{"type": "function", **TOOL}],
    ("responses.input_tokens", "background"): True,
    ("responses.input_tokens", "tools"): [{"type": "function", **TOOL}],
    ("messages", "tools"): [{"name": "look_up", "input_schema": {"type": "object", "properties": {}}}],
    ("messages", "tool_choice"): {"type": "any"},
    ("messages", "service_tier"): "standard_only",
    ("messages", "metadata"): {"user_id": "u-1"},
}
NEEDS: dict[str, dict[str, Any]] = {
    "tool_choice": {"tools": True},
    "parallel_tool_calls": {"tools": True},
    "top_logprobs": {"logprobs": True},
    "audio": {"modalities": True},
    "function_call": {"functions": True},
}
"""Parameters that mean nothing without another, which then is in the request they are compared with."""

_OWN = {"messages", "input", "prompt", "voice", "stream"}


def parameters(endpoint: str) -> list[str]:
    """Every parameter that a fidelity table of this endpoint has a cell for."""
    if endpoint == "chat.completions":
        return list(CHAT_PARAMS)
    request, minimal = REQUESTS[endpoint]
    return sorted({*request.__struct_fields__} - GATEWAY_FIELDS - {"model"} - {*minimal})


_SEEN_ELSEWHERE = {"stream", "stream_options", "previous_response_id"}
"""Of a stream, or of a request that must name what a provider keeps: these have tests of their own."""


def compared(endpoint: str) -> list[str]:
    """Those whose effect on a plain request can be seen."""
    return [name for name in parameters(endpoint) if name not in _SEEN_ELSEWHERE]


def payload(endpoint: str, *names: str) -> Payload[Any]:
    """The minimal request with the samples of these parameters, parsed as the edge parses it."""
    request, minimal = REQUESTS[endpoint]
    fields = {"model": "m", **minimal} | {name: sample(endpoint, name) for name in names}
    body = msgspec.json.encode(fields)
    return Payload(
        msgspec.json.decode(body, type=request), msgspec.json.decode(body, type=dict[str, msgspec.Raw]), len(body)
    )


def sample(endpoint: str, name: str) -> Any:
    """A value of this parameter that is not its default."""
    return _OF_ENDPOINT.get((endpoint, name), SAMPLES.get(name))
