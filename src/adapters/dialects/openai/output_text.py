"""The text a plain answer holds, for an estimate where the provider reports no usage."""

import msgspec
from msgspec import UNSET, UnsetType


class _Function(msgspec.Struct):
    name: str = ""
    arguments: str = ""


class _Call(msgspec.Struct):
    function: _Function | UnsetType = UNSET
    custom: msgspec.Raw | UnsetType = UNSET


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    reasoning_content: object = None
    reasoning: object = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct):
    message: _Message


class _Answer(msgspec.Struct):
    choices: list[_Choice]


_decode = msgspec.json.Decoder(_Answer).decode


def output_text(body: bytes) -> str:
    """Everything generated, of every choice: thinking, content, refusals, calls. `body` is a valid answer."""
    pieces: list[str] = []
    for choice in _decode(body).choices:
        message = choice.message
        thinking = message.reasoning_content or message.reasoning  # some providers send the same under both names
        pieces += [text for text in (thinking, message.content, message.refusal) if isinstance(text, str)]
        for call in message.tool_calls or ():
            if call.function is not UNSET:
                pieces += [call.function.name, call.function.arguments]
            elif call.custom is not UNSET:
                pieces.append(bytes(call.custom).decode())
    return "\n".join(pieces)
