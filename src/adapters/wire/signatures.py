"""What providers sign and want back, carried through clients that have no field for it, and kept from other providers.

Anthropic signs its thinking, Gemini its tool calls, OpenRouter details its reasoning. A chat has fields for them
(`thinking_blocks`, `extra_content`, `reasoning_details`). Messages and Responses have not, but their clients send one
kind of block back unread, so it travels there: in the `data` of a `redacted_thinking` block, in the
`encrypted_content` of a `reasoning` item. It is no secret, and trusted no more than the rest of a client's history.

Source: wire facts on Anthropic, section 5, and on Gemini, OpenAI compatibility (November 2026).
"""

import base64
import binascii
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeVar

import msgspec

from adapters.wire.raw_json import UNDECODABLE

MARK: Final = "omg1."
"""How what is carried begins; no provider's own data does."""


OURS_IN_BASE64: Final = base64.b64encode(f"{MARK} ".encode())[:6]
"""How `MARK` begins where it is base64 itself, as in Google's `thoughtSignature`."""


class Carried(msgspec.Struct):
    """What hangs on one call."""

    id: str
    extra_content: msgspec.Raw


_encode = msgspec.json.Encoder().encode
_decode_carried = msgspec.json.Decoder(Carried).decode


def pack(call_id: str, extra_content: msgspec.Raw) -> str:
    """The data of a `redacted_thinking` block."""
    return MARK + base64.urlsafe_b64encode(_encode(Carried(call_id, extra_content))).decode()


def unpack(data: str) -> Carried | None:
    """None for data that is not ours."""
    if not data.startswith(MARK):
        return None
    try:
        return _decode_carried(base64.urlsafe_b64decode(data.removeprefix(MARK)))
    except (binascii.Error, ValueError, *UNDECODABLE):
        return None


REASONING_ID_PREFIX = "rs_omg"
"""Of the reasoning items made here, by which they are told from an upstream's own."""


class Sealed(msgspec.Struct, omit_defaults=True):
    """What goes into one reasoning item. `extra_content` is by the id of the tool call it belongs to."""

    thinking_blocks: list[Any] = []
    reasoning_details: list[Any] = []
    extra_content: dict[str, Any] = {}

    def __bool__(self) -> bool:
        return bool(self.thinking_blocks or self.reasoning_details or self.extra_content)


_decode_sealed = msgspec.json.Decoder(Sealed).decode


def seal(value: Sealed) -> str | None:
    """None where there is nothing to carry."""
    return MARK + base64.b64encode(_encode(value)).decode() if value else None


def unseal(text: str | None) -> Sealed | None:
    """None for what was not sealed here, or not like this."""
    if text is None or not text.startswith(MARK):
        return None
    try:
        return _decode_sealed(base64.b64decode(text[len(MARK) :], validate=True))
    except (binascii.Error, ValueError, *UNDECODABLE):
        return None


def joined_details(details: Sequence[Any]) -> list[Any]:
    """OpenRouter's details of a stream as those of a whole answer: pieces of one text, or one summary, joined.

    They are sent back whole. What is encrypted comes in one piece, and parallel calls have one each.
    """
    joined: list[Any] = []
    for detail in details:
        last = joined[-1] if joined and isinstance(joined[-1], dict) else {}
        said = next((name for name in ("text", "summary") if isinstance(detail, dict) and detail.get(name)), None)
        if said is None and isinstance(detail, dict) and detail.get("signature"):
            said = "text"  # a signature may come behind its text, alone
        if said is None or not last or not _goes_on(last, detail):
            joined.append(dict(detail) if isinstance(detail, dict) else detail)
            continue
        last |= {name: value for name, value in detail.items() if value is not None and name != said}
        last[said] = (last.get(said) or "") + (detail.get(said) or "")
    return joined


def _goes_on(last: dict[str, Any], detail: dict[str, Any]) -> bool:
    return all(last.get(name) == detail.get(name) for name in ("type", "index"))


PLACE: Final = "omg_place"
"""Of a thinking block in a chat: the characters of text and the calls that stood before it, where there were any.

A chat keeps text, thoughts and calls apart. Claude, which thinks between its calls, wants all of it back in the order
in which it was said; no other upstream is sent this field.
"""

Call = TypeVar("Call")
Thought = TypeVar("Thought")


def placed(thought: dict[str, Any], characters: int, calls: int) -> dict[str, Any]:
    """The thought with its place, which is left out at the beginning."""
    kept = {name: value for name, value in thought.items() if name != PLACE}
    return kept | {PLACE: [characters, calls]} if characters or calls else kept


def place_of(given: object) -> tuple[int, int]:
    """What `PLACE` holds, as a client sent it back; the beginning where nothing in it can be read."""
    match given:
        case [int(characters), int(calls)] if characters >= 0 and calls >= 0:
            return characters, calls
        case _:
            return 0, 0


def in_order(
    text: str, calls: Sequence[Call], thoughts: Sequence[tuple[tuple[int, int], Thought]]
) -> Iterator[str | tuple[Call] | list[Thought]]:
    """What was said as it was said: pieces of the text, each call alone in a tuple, each thought alone in a list."""
    said = called = 0
    for (characters, before), thought in thoughts:
        if text[said:characters]:
            yield text[said:characters]
            said = min(characters, len(text))
        for call in calls[called:before]:
            yield (call,)
        called = max(called, min(before, len(calls)))
        yield [thought]
    if text[said:]:
        yield text[said:]
    for call in calls[called:]:
        yield (call,)
