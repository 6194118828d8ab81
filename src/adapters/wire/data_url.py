"""Data URLs, by which OpenAI's clients send images and files inside JSON (RFC 2397)."""

import base64
import binascii
from typing import NamedTuple


class DataUrl(NamedTuple):
    """What a data URL holds: its media type, and its bytes in base64 without line ends."""

    media_type: str
    base64: str


def read_data_url(url: str) -> DataUrl | None:
    """None for any other URL. Raises `ValueError` for a data URL that is broken."""
    if url[:5].lower() != "data:":
        return None
    head, comma, data = url[5:].partition(",")
    if not comma:
        raise ValueError("a data URL has a comma before its data")
    media_type, _, parameters = head.partition(";")
    data = "".join(data.split())
    if not parameters.lower().endswith("base64"):
        return DataUrl(media_type or "text/plain", base64.b64encode(data.encode()).decode())
    try:
        base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise ValueError(f"the data URL is not valid base64: {error}") from None
    return DataUrl(media_type or "application/octet-stream", data)
