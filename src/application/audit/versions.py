"""What tells one state of an object from another: the version that a change can be bound to (contract 8)."""

import hashlib
from typing import Final

import msgspec

from application.audit.differences import State, plain_fields

_BY_ITSELF: Final = frozenset({"last_used_at", "last_seen_at", "keys"})
"""What changes without anybody's edit of the object: when it was used, and what belongs to it and is edited apart."""

_DIGITS: Final = 32


def version_of(state: State) -> str:
    """A digest of all that can be edited, and of when it was. Two states have one version where nothing changed.

    Secrets are not in it: the moment of their change is.
    """
    fields = [field for field in plain_fields(state) if field[0] not in _BY_ITSELF]
    return hashlib.sha256(msgspec.json.encode(fields)).hexdigest()[:_DIGITS]
