"""Pictures and files inside a request's JSON: their base64 is no text, and a model does not count it as such."""

import re
from typing import Final

from domain.inference import Json

PICTURE_TOKENS: Final = 1_600
"""What the larger of the usual ways to count a picture makes of one."""

BYTES_PER_TOKEN: Final = 40
"""Of a document or sound in base64, as its pages and seconds are usually counted."""

_LEAST_BYTES: Final = 1_024

_ENCODED: Final = re.compile(
    rb'("(?:data|url|image_url|file_data)"\s*:\s*")(?:data:[^",]{0,200},)?[A-Za-z0-9+/=_\\-]{%d,}"' % _LEAST_BYTES
)
"""Under the names that APIs give it, and long. The same letters in a `text` are text."""


def text_of(raw: Json) -> str:
    """A block or an item with its JSON around it, without what is encoded in it."""
    data = bytes(raw)
    if len(data) > _LEAST_BYTES:
        data = _ENCODED.sub(rb'\1"', data)
    return data.decode(errors="replace")


def media_tokens_of(raw: Json) -> int:
    """At most so many tokens are the pictures and files in it."""
    data = bytes(raw)
    if len(data) <= _LEAST_BYTES:
        return 0
    sizes = [len(found.group()) for found in _ENCODED.finditer(data)]
    if not sizes:
        return 0
    is_picture = b"image" in data and b"pdf" not in data
    return PICTURE_TOKENS * len(sizes) if is_picture else sum(sizes) // BYTES_PER_TOKEN
