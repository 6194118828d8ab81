"""What becomes of each parameter of Google's API where chat or embeddings carry them: the tables the code follows.

Fields of `generationConfig` have lines of their own, by the path that they have in the body.
"""

from typing import Final

from domain.fidelity import HONORED, Fidelity, dropped, mapped, refused

CONFIG: Final = "generationConfig"

_CONFIG: Final[Fidelity] = {
    "temperature": mapped("temperature"),
    "topP": mapped("top_p"),
    "topK": mapped("top_k", "dropped at upstreams that have none, as OpenAI's chat"),
    "candidateCount": mapped("n"),
    "maxOutputTokens": mapped("max_tokens"),
    "stopSequences": mapped("stop", "all of them; an upstream that takes fewer gets its first ones"),
    "responseMimeType": mapped("response_format", "`application/json`; `text/x.enum` is refused"),
    "responseSchema": mapped("response_format", "as JSON Schema"),
    "responseJsonSchema": mapped("response_format"),
    "presencePenalty": mapped("presence_penalty"),
    "frequencyPenalty": mapped("frequency_penalty"),
    "seed": mapped("seed"),
    "responseLogprobs": mapped("logprobs"),
    "logprobs": mapped("top_logprobs"),
    "responseModalities": mapped("modalities"),
    "speechConfig": mapped("audio", "the voice, where the answer is to be spoken"),
    "thinkingConfig": mapped(
        "reasoning_effort", "a budget as the nearest effort; thoughts are shown with `includeThoughts` alone"
    ),
    "audioTimestamp": dropped(),
    "audioTranscriptionConfig": dropped(),
    "enableAffectiveDialog": dropped(),
    "enableEnhancedCivicAnswers": dropped(),
    "imageConfig": dropped(),
    "mediaResolution": dropped(),
    "modelSelectionConfig": dropped(),
    "routingConfig": dropped(),
}

CONTENT_OVER_CHAT: Final[Fidelity] = {
    "stream": HONORED,
    "contents": mapped("messages", "a file at Google is refused: no other provider can read it"),
    "systemInstruction": mapped("messages", "one system message, joined by line breaks"),
    "tools": mapped("tools", "functions; tools that Google itself runs are dropped"),
    "toolConfig": mapped("tool_choice", "`VALIDATED` as `AUTO`; of several allowed functions only they are on offer"),
    CONFIG: mapped("", "field by field, below"),
    "safetySettings": dropped("providers filter by rules of their own"),
    "cachedContent": refused("it is kept at Google"),
    "continuationToken": refused("it is known to Google alone"),
    "labels": dropped(),
    "serviceTier": mapped("service_tier", "`standard` as `default`"),
    "store": dropped("nothing is kept"),
    "modelArmorConfig": dropped(),
    **{f"{CONFIG}.{name}": cell for name, cell in _CONFIG.items()},
}
"""Parts without a place in a chat are dropped as `contents.KIND`, tools as `tools.KIND`."""

_COUNTED: Final = {"contents", "systemInstruction", "tools"}

CONTENT_COUNTS: Final[Fidelity] = {
    name: mapped("", "counted by estimate: nothing is sent") if name in _COUNTED else dropped("not counted")
    for name in CONTENT_OVER_CHAT
    if "." not in name and name != "stream"
}
"""The same for a count of tokens, which is an estimate made here."""

CONTENT_OVER_EMBEDDINGS: Final[Fidelity] = {
    "content": mapped("input", "the texts of its parts as one; other parts are refused"),
    "requests": mapped("input", "a text for each"),
    "outputDimensionality": mapped("dimensions", "the same for all of a batch"),
    "taskType": dropped("embeddings elsewhere have none"),
    "title": dropped(),
    "embedContentConfig": dropped(),
}

_NAMES: Final = {
    "messages": "contents",
    "messages.reasoning_content": "contents.thought",
    "messages.thinking_blocks": "contents.thoughtSignature",
    "messages.reasoning_details": "contents.thoughtSignature",
    "messages.reasoning": "contents.thought",
    "tools": "tools",
    "tool_choice": "toolConfig",
    "service_tier": "serviceTier",
    "max_completion_tokens": f"{CONFIG}.maxOutputTokens",
    "response_format": f"{CONFIG}.responseMimeType",
    "input": "content",
    "dimensions": "outputDimensionality",
    **{cell.to: f"{CONFIG}.{name}" for name, cell in _CONFIG.items() if cell.to and cell.to != "response_format"},
}
_OURS: Final = frozenset({"stream_options", "parallel_tool_calls", "encoding_format"})  # not the client's words


def content_name(param: str) -> str | None:
    """A parameter of a chat or of embeddings as Google's client called it; None for one it did not ask for."""
    return None if param in _OURS else _NAMES.get(param, param)
