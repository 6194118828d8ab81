"""Bounds how deep a JSON text nests, before a decoder that recurses sees it (R-36). Linear, in C."""

import re

MAX_DEPTH = 64

# Possessive, and content with a string that never ends: no backtracking whatever the text.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_BRACKETS = bytes.maketrans(b"[{]}", b"(())")
_OTHERS = bytes(set(range(256)) - set(b"[{]}"))


def too_deep(text: bytes, limit: int = MAX_DEPTH) -> bool:
    """Whether `text` nests arrays and objects more than `limit` levels.

    A text with few brackets, as nearly every request is, costs two counts. Of one with many, what is left
    without strings and scalars is a row of brackets, and removing each innermost pair once takes off one level.
    """
    if text.count(b"[") + text.count(b"{") <= limit:
        return False
    brackets = _STRING.sub(b"", text).translate(_BRACKETS, _OTHERS)
    for _ in range(limit):
        if not brackets:
            return False
        shorter = brackets.replace(b"()", b"")
        if len(shorter) == len(brackets):  # unbalanced: malformed, which is for the decoder to say if it may see it
            return brackets.count(b"(") > limit
        brackets = shorter
    return brackets.count(b"(") > 0
