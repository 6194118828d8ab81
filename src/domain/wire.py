"""A validated value together with the fields it arrived as."""

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Payload(msgspec.Struct, Generic[T], frozen=True):
    """One request body, decoded once.

    `value` is what policy reads; `fields` are the same body's top-level fields as raw JSON, which is
    what is forwarded. Both come from one parse of the same bytes with the last duplicate winning, so a
    duplicated key cannot say one thing to policy and another to the provider, and a field we do not
    model survives. `size_bytes` is the length of the body as it was received.
    """

    value: T
    fields: dict[str, msgspec.Raw]
    size_bytes: int = 0
