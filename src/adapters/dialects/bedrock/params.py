"""What becomes of each chat parameter in Converse; the table the encoder follows.

Source: botocore 1.44.5 service model of bedrock-runtime, and the user guide's inference parameters (read 2026-11).
"""

from typing import Final

from domain.fidelity import HONORED, Fidelity, dropped, mapped, refused

CONVERSE_PARAMS: Final[Fidelity] = {
    "audio": refused("Converse answers with text"),
    "frequency_penalty": dropped(),
    "function_call": refused("send tool_choice"),
    "functions": refused("send tools"),
    "logit_bias": dropped(),
    "logprobs": dropped("Converse has none"),
    "max_completion_tokens": mapped("inferenceConfig.maxTokens"),
    "max_tokens": mapped("inferenceConfig.maxTokens"),
    "metadata": mapped("requestMetadata", "up to 16 texts of 256 characters; others are dropped"),
    "modalities": refused("Converse answers with text"),
    "moderation": dropped("configure a guardrail"),
    "n": refused("one answer a request"),
    "parallel_tool_calls": dropped(),
    "prediction": dropped(),
    "presence_penalty": dropped(),
    "prompt_cache_key": dropped("mark what to cache with cache_control"),
    "prompt_cache_options": dropped("mark what to cache with cache_control"),
    "prompt_cache_retention": dropped("mark what to cache with cache_control"),
    "reasoning_effort": mapped(
        "additionalModelRequestFields", "for Claude from 3.7, Nova 2 and gpt-oss; dropped for models that do not think"
    ),
    "response_format": mapped(
        "outputConfig.textFormat", "a forced tool for models without it; json_object becomes an instruction"
    ),
    "safety_identifier": dropped(),
    "seed": dropped(),
    "service_tier": mapped("serviceTier.type", "default, flex and priority; others are dropped"),
    "stop": mapped(
        "inferenceConfig.stopSequences", "the first 2500; empty ones are dropped, for Claude blank ones too"
    ),
    "store": dropped(),
    "stream": mapped("ConverseStream"),
    "stream_options": mapped("", "usage comes without being asked for"),
    "temperature": mapped(
        "inferenceConfig.temperature", "at most 1, and more is reported as dropped; dropped for Claude from 4.7"
    ),
    "tool_choice": mapped("toolConfig.toolChoice", "none leaves the tools out; dropped where the history used tools"),
    "tools": mapped("toolConfig.tools", "functions only"),
    "top_logprobs": dropped(),
    "top_p": mapped("inferenceConfig.topP", "dropped for Claude from 4.7, and from 4.1 beside a temperature"),
    "user": dropped(),
    "verbosity": dropped(),
    "web_search_options": refused("Converse does not search"),
    # Not OpenAI's, and known to people who use Bedrock:
    "additionalModelRequestFields": HONORED,
    "guardrailConfig": HONORED,
    "performanceConfig": HONORED,
    "thinking": mapped("additionalModelRequestFields.thinking"),
    "top_k": mapped(
        "additionalModelRequestFields",
        "for Claude at most 500, for Nova 128, and more is reported as dropped; dropped elsewhere",
    ),
}
