"""Thoughts of other providers do not reach Anthropic, and nothing else is touched."""

import json
from collections.abc import Mapping

import msgspec

from adapters.wire.carried_extras import pack, unpack
from adapters.wire.unsigned_thoughts import without_unsigned_thoughts

OURS = {"type": "thinking", "thinking": "light", "signature": ""}
THEIRS = {"type": "thinking", "thinking": "deep", "signature": "sig"}
TEXT = {"type": "text", "text": 'say "signature": ""'}


def stripped(*turns: Mapping[str, object]) -> object:
    found = without_unsigned_thoughts(msgspec.Raw(json.dumps(turns).encode()))
    return None if found is None else json.loads(bytes(found))


def test_only_unsigned_thoughts_are_taken_out() -> None:
    user = {"role": "user", "content": "hi"}

    assert stripped(user, {"role": "assistant", "content": [OURS, THEIRS, TEXT]}) == [
        user,
        {"role": "assistant", "content": [THEIRS, TEXT]},
    ]


def test_a_turn_of_nothing_else_is_left_out() -> None:
    assert stripped({"role": "assistant", "content": [OURS]}, {"role": "user", "content": [TEXT]}) == [
        {"role": "user", "content": [TEXT]}
    ]


def test_what_was_carried_for_another_provider_is_taken_out() -> None:
    ours = {"type": "redacted_thinking", "data": pack("c", msgspec.Raw(b"{}"))}
    theirs = {"type": "redacted_thinking", "data": "EmwKAhgB"}

    assert stripped({"role": "assistant", "content": [ours, theirs]}) == [{"role": "assistant", "content": [theirs]}]


def test_data_that_is_not_ours_is_not_read() -> None:
    assert unpack("EmwKAhgB") is None
    assert unpack("omg1.%%") is None
    assert unpack("omg1.e30=") is None


def test_a_conversation_without_them_is_not_even_copied() -> None:
    assert stripped({"role": "assistant", "content": [THEIRS, {"type": "text", "text": "hi"}]}) is None


def test_what_is_no_conversation_is_left_to_anthropic() -> None:
    assert without_unsigned_thoughts(msgspec.Raw(b'[{"content":[1,{"signature":""}],"role":"assistant"}]')) is None
    assert without_unsigned_thoughts(msgspec.Raw(b'{"signature":""}')) is None
