"""Response ids that say which provider keeps the response, so that a follow-up finds its way back to it.

A response that an upstream keeps is shown as `resp_omg_<base32 of the provider's id>_<the upstream's own id>`. One
made over chat is kept nowhere and has a plain `resp_…`: nothing can follow it but the whole history.
"""

import base64
import binascii
from typing import NamedTuple

_PREFIX = "resp_omg_"


class KeptResponse(NamedTuple):
    """Where a response is kept, and what it is called there."""

    provider_id: str
    upstream_id: str


def kept_id(provider_id: str, upstream_id: str) -> str:
    """The id a client sees."""
    origin = base64.b32encode(provider_id.encode()).decode().rstrip("=").lower()
    return f"{_PREFIX}{origin}_{upstream_id}"


def read_kept_id(response_id: str) -> KeptResponse | None:
    """None for an id that no provider of ours stands behind."""
    if not response_id.startswith(_PREFIX):
        return None
    origin, _, upstream_id = response_id[len(_PREFIX) :].partition("_")
    padding = "=" * (-len(origin) % 8)
    try:
        provider_id = base64.b32decode(origin.upper() + padding).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return KeptResponse(provider_id, upstream_id) if provider_id and upstream_id else None
