"""What becomes of each parameter at Gemini, by endpoint: the tables the encoders follow.

Source: google-genai 3.4 types; ai.google.dev generateContent and OpenAI compatibility (read 2026-11).
"""

from typing import Final

from domain.fidelity import HONORED, Cell, Fidelity, dropped, mapped, refused


def _config(name: str, note: str = "") -> Cell:
    return mapped(f"generationConfig.{name}", note)


CHAT_FIDELITY: Final[Fidelity] = {
    "stream": mapped("streamGenerateContent"),
    "stream_options": mapped("", "usage comes without being asked for"),
    "max_completion_tokens": _config("maxOutputTokens", "wins over max_tokens; thoughts count"),
    "max_tokens": _config("maxOutputTokens", "thoughts count"),
    "temperature": _config("temperature"),
    "top_p": _config("topP"),
    "n": _config("candidateCount", "at most 8; newer models refuse more than 1"),
    "stop": _config("stopSequences", "the first 5, more are reported as dropped"),
    "seed": _config("seed", "a number of 32 bits; others are dropped"),
    "frequency_penalty": _config("frequencyPenalty", "less than 2: 2 is sent as 1.99, and reported as dropped"),
    "presence_penalty": _config("presencePenalty", "less than 2: 2 is sent as 1.99, and reported as dropped"),
    "logprobs": _config("responseLogprobs"),
    "top_logprobs": _config("logprobs"),
    "response_format": _config(
        "responseJsonSchema", "with responseMimeType; beside tools refused before Gemini 3; responseSchema on Vertex AI"
    ),
    "reasoning_effort": _config(
        "thinkingConfig", "a level from Gemini 3 on, a budget of tokens for 2.5; dropped for models that do not think"
    ),
    "modalities": _config("responseModalities", "text, image, audio"),
    "audio": _config("speechConfig", "the voice; the answer is wav or pcm16, other formats are refused"),
    "tools": mapped("tools.functionDeclarations", "functions; custom tools are refused"),
    "tool_choice": mapped("toolConfig.functionCallingConfig"),
    "web_search_options": mapped("tools.googleSearch", "its options are left out"),
    "functions": refused("send tools"),
    "function_call": refused("send tool_choice"),
    "parallel_tool_calls": dropped("Gemini decides"),
    "logit_bias": dropped(),
    "prediction": dropped(),
    "verbosity": dropped(),
    "store": dropped("nothing is kept"),
    "metadata": dropped(),
    "moderation": dropped(),
    "user": dropped(),
    "safety_identifier": dropped(),
    "service_tier": dropped(),
    "prompt_cache_key": dropped("Gemini caches by itself"),
    "prompt_cache_options": dropped("Gemini caches by itself"),
    "prompt_cache_retention": dropped("Gemini caches by itself"),
}

OWN_FIELDS: Final[Fidelity] = {
    "top_k": _config("topK"),
    "safety_settings": mapped("safetySettings", "as they are"),
    "extra_body": mapped("", "of extra_body.google: thinking_config, cached_content and safety_settings"),
}
"""Gemini's own, as its users send them through OpenAI's clients."""

CONTENT_FIDELITY: Final[Fidelity] = dict.fromkeys(
    (
        "contents",
        "stream",
        "systemInstruction",
        "tools",
        "toolConfig",
        "generationConfig",
        "safetySettings",
        "cachedContent",
        "continuationToken",
        "labels",
        "serviceTier",
        "store",
    ),
    HONORED,
)
"""Google's own API, passed on as it came."""

CONTENT_COUNT_FIDELITY: Final[Fidelity] = {name: cell for name, cell in CONTENT_FIDELITY.items() if name != "stream"}
EMBED_CONTENT_FIDELITY: Final[Fidelity] = dict.fromkeys(
    ("content", "requests", "taskType", "title", "outputDimensionality", "embedContentConfig"), HONORED
)

EMBEDDING_FIDELITY: Final[Fidelity] = {
    "input": mapped("requests.content", "texts; arrays of token ids (cl100k_base) are made text again"),
    "dimensions": mapped("requests.outputDimensionality", "shorter vectors are normalised"),
    "encoding_format": mapped("", "the gateway writes what was asked for"),
    "user": dropped(),
}

VERTEX_EMBEDDING_FIDELITY: Final[Fidelity] = {
    **EMBEDDING_FIDELITY,
    "input": mapped("instances.content", "texts; what is too long is refused instead of cut"),
    "dimensions": mapped("parameters.outputDimensionality", "shorter vectors are normalised"),
}

IMAGE_FIDELITY: Final[Fidelity] = {
    "prompt": mapped("instances.prompt"),
    "n": mapped("parameters.sampleCount", "at most 4"),
    "size": mapped("parameters.aspectRatio", "the nearest of 1:1, 3:4, 4:3, 9:16, 16:9; the resolution is the model's"),
    "response_format": mapped("", "the address is a data URL"),
    "output_format": mapped("parameters.outputOptions.mimeType", "png or jpeg; webp becomes jpeg"),
    "output_compression": mapped("parameters.outputOptions.compressionQuality", "of a jpeg"),
    "moderation": mapped("parameters.safetySetting", "low blocks only what is surely harmful"),
    "user": dropped(),
    "quality": dropped(),
    "style": dropped(),
    "background": dropped(),
    "partial_images": dropped(),
    "stream": refused("Imagen answers whole"),
}
