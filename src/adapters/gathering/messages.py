"""The events of Anthropic's Messages API, put together.

Source: Anthropic's "Streaming Messages" (read 2026-11).
"""

import msgspec
from typing_extensions import override

from adapters.gathering.merging import Fields, events_of, grow, plain
from domain.ports.gathering import Gatherer

_INPUT = "partial_json"


class MessageGatherer(Gatherer):
    """Of one message."""

    def __init__(self) -> None:
        self._message: Fields = {}
        self._usage: Fields = {}
        self._blocks: dict[int, Fields] = {}

    @override
    def add(self, block: bytes) -> None:
        for event in events_of(block):
            kind = event.get("type")
            if kind == "message_start":
                self._message = event.get("message") or {}
                self._usage = self._message.get("usage") or {}
            elif kind == "content_block_start":
                self._begin(event)
            elif kind == "content_block_delta":
                self._grow(event)
            elif kind == "message_delta":
                self._message |= event.get("delta") or {}
                self._usage |= {name: value for name, value in (event.get("usage") or {}).items() if value is not None}

    @override
    def answer(self, *, cut: bool) -> bytes:
        message: Fields = {"type": "message", "role": "assistant"} | self._message
        if cut and message.get("stop_reason") is None:
            message |= {"stop_reason": "max_tokens", "stop_sequence": None}
        content = [_block(self._blocks[place]) for place in sorted(self._blocks)]
        message |= {"content": [block for block in content if block is not None], "usage": self._usage}
        return msgspec.json.encode(message)

    def _begin(self, event: Fields) -> None:
        made: Fields = {}
        grow(made, event.get("content_block") or {})
        self._blocks[event.get("index", len(self._blocks))] = made

    def _grow(self, event: Fields) -> None:
        made = self._blocks.setdefault(event.get("index", 0), {})
        for name, value in (event.get("delta") or {}).items():
            if name == "citation":
                grow(made, {"citations": [value]})
            elif name != "type":
                grow(made, {name: value})


def _block(made: Fields) -> Fields | None:
    """None for a call of a tool whose input is not whole: nobody could run it."""
    block: Fields = plain(made)
    arguments = block.pop(_INPUT, None)
    if arguments:
        try:
            block["input"] = msgspec.json.decode(arguments)
        except msgspec.DecodeError:
            return None
    return block
