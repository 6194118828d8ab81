"""A validated value together with the fields it arrived as."""

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")

_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


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

    def rest_on(self, encoded: bytes) -> None:
        """Let go of the body that came: from now on the fields lie in `encoded`, a large request made of it.

        `encoded` is a JSON object that holds most of the fields unchanged under their names; whoever sends it keeps it
        in memory anyway. What differs is copied. Without this a large body would be there three times while the
        provider thinks: as it came, as text, and as it was sent.
        """
        sent = _decode_fields(encoded)
        for name, raw in self.fields.items():
            same = sent.get(name)
            self.fields[name] = same if same is not None and same == raw else raw.copy()
        _copy_raw_parts(self.value)


def _copy_raw_parts(value: object) -> object:
    """The same with every raw part a copy of its own, which holds nothing of the body it was read from."""
    if isinstance(value, msgspec.Raw):
        return value.copy()
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            part = getattr(value, name)
            if isinstance(part, msgspec.Raw | msgspec.Struct | list | dict):
                msgspec.structs.force_setattr(value, name, _copy_raw_parts(part))
    elif isinstance(value, list):
        value[:] = [_copy_raw_parts(part) for part in value]
    elif isinstance(value, dict):
        value.update({name: _copy_raw_parts(part) for name, part in value.items()})
    return value
