"""OpenAI's chunks of chats and of legacy completions, put together.

Source: OpenAI's API reference, "The chat completion chunk object" and "The completion object" (read 2026-11).
"""

from typing import Any

import msgspec
from typing_extensions import override

from adapters.gathering.merging import Fields, events_of, grow, plain
from domain.ports.gathering import Gatherer


class ChunkGatherer(Gatherer):
    """Of chats, and of completions with `text`."""

    def __init__(self, *, text: bool = False) -> None:
        self._text = text
        self._answer: Fields = {}
        self._choices: dict[int, Fields] = {}

    @override
    def add(self, block: bytes) -> None:
        for chunk in events_of(block):
            for name, value in chunk.items():
                if name == "choices":
                    for choice in value or ():
                        self._take(choice)
                elif name != "obfuscation" and (value is not None or name not in self._answer):
                    self._answer[name] = value

    @override
    def answer(self, *, cut: bool) -> bytes:
        made: Fields = self._answer | {
            "object": "text_completion" if self._text else "chat.completion",
            "choices": [self._choice(place, cut=cut) for place in sorted(self._choices or {0: {}})],
        }
        if made.get("usage", 0) is None:
            del made["usage"]
        return msgspec.json.encode(made)

    def _take(self, choice: Any) -> None:
        if not isinstance(choice, dict):
            return
        place = choice.get("index")
        made = self._choices.setdefault(place if isinstance(place, int) else 0, {})
        for name, value in choice.items():
            if name == "finish_reason":
                made[name] = value or made.get(name)
            elif name == "delta":
                grow(made, {"message": value or {}})
            elif name != "index":
                grow(made, {name: value})

    def _choice(self, place: int, *, cut: bool) -> Fields:
        made: Fields = plain(self._choices.get(place, {}))
        reason = made.pop("finish_reason", None)
        if reason is None and cut:
            reason = "length"
        if self._text:
            return {"text": "", "index": place, "logprobs": None} | made | {"finish_reason": reason}
        message: Fields = {"role": "assistant", "content": None} | made.pop("message", {})
        for call in message.get("tool_calls") or ():
            call.pop("index", None)
        return {"index": place, "message": message, "logprobs": None} | made | {"finish_reason": reason}
