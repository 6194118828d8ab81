"""What becomes of each parameter at Cohere, by endpoint: the tables the encoders follow.

Source: cohere 7.3.1 types and docstrings (read 2026-11).
"""

from typing import Final

from domain.fidelity import HONORED, Fidelity, dropped, mapped, refused

COHERE_CHAT_PARAMS: Final[Fidelity] = {
    "audio": refused("Cohere answers with text"),
    "frequency_penalty": mapped(
        "frequency_penalty", "0 to 1: more is sent as 1 and less as 0, and reported as dropped"
    ),
    "function_call": refused("send tool_choice"),
    "functions": refused("send tools"),
    "logit_bias": dropped(),
    "logprobs": dropped("Cohere's have no text beside each token"),
    "max_completion_tokens": mapped("max_tokens"),
    "max_tokens": HONORED,
    "metadata": dropped(),
    "modalities": refused("Cohere answers with text"),
    "moderation": dropped("see safety_mode"),
    "n": refused("one answer a request"),
    "parallel_tool_calls": dropped(),
    "prediction": dropped(),
    "presence_penalty": mapped("presence_penalty", "0 to 1: more is sent as 1 and less as 0, and reported as dropped"),
    "prompt_cache_key": dropped(),
    "prompt_cache_options": dropped(),
    "prompt_cache_retention": dropped(),
    "reasoning_effort": mapped("thinking", "a budget of tokens; dropped for models that do not think"),
    "response_format": mapped("response_format", "json_object with the schema; dropped beside tools and documents"),
    "safety_identifier": dropped(),
    "seed": HONORED,
    "service_tier": dropped(),
    "stop": mapped("stop_sequences", "the first 5, more are reported as dropped"),
    "store": dropped(),
    "stream": HONORED,
    "stream_options": mapped("", "usage comes without being asked for"),
    "temperature": HONORED,
    "tool_choice": mapped("tool_choice", "REQUIRED or NONE; one function is REQUIRED with that function alone"),
    "tools": mapped("tools", "functions only; strict_tools where one of them is strict"),
    "top_logprobs": dropped(),
    "top_p": mapped("p", "0.01 to 0.99, and what is beyond is reported as dropped, but for 1"),
    "user": dropped(),
    "verbosity": dropped(),
    "web_search_options": refused("Cohere does not search"),
    # Cohere's own, for people who know them:
    "citation_options": HONORED,
    "documents": HONORED,
    "safety_mode": HONORED,
    "strict_tools": HONORED,
    "thinking": HONORED,
    "top_k": mapped("k", "at most 500, and more is reported as dropped"),
}

COHERE_EMBEDDING_PARAMS: Final[Fidelity] = {
    "dimensions": mapped("output_dimension", "dropped for embed v3 and older"),
    "encoding_format": mapped("", "the gateway encodes"),
    "user": dropped(),
    # Cohere's own:
    "input_type": mapped("input_type", "search_document where it is not given"),
    "truncate": HONORED,
}

COHERE_RERANK_PARAMS: Final[Fidelity] = {
    "max_tokens_per_doc": HONORED,
    "return_documents": mapped("", "the gateway puts them into the answer"),
    "top_n": HONORED,
    # Cohere's own:
    "priority": HONORED,
}
