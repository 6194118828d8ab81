"""A model's own thoughts on their way back to it: those that it signed, as they came, and where they stood."""

from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.signatures import PLACE, place_of

Block = dict[str, object]
Place = tuple[int, int]


class _ThinkingBlock(msgspec.Struct):
    type: str = ""
    signature: str | None = None
    data: str | None = None
    omg_place: object = None

    @property
    def is_signed(self) -> bool:
        return bool(self.signature if self.type == "thinking" else self.type == "redacted_thinking" and self.data)


_decode_thinking: Final = msgspec.json.Decoder(_ThinkingBlock).decode
_decode_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def signed_thoughts(blocks: Sequence[msgspec.Raw]) -> list[tuple[Place, Block]]:
    """The blocks to send, each with its place (`signatures.PLACE`). Unsigned ones would be refused."""
    kept: list[tuple[Place, Block]] = []
    for raw in blocks:
        try:
            block = _decode_thinking(raw)
            fields = _decode_object(raw)
        except UNDECODABLE:
            continue
        if block.is_signed:
            fields.pop(PLACE, None)
            kept.append((place_of(block.omg_place), {**fields, "type": block.type}))
    return kept
