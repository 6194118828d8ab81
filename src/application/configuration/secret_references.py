"""Several places of secrets as one: each reference goes to the place whose beginning it has."""

from collections.abc import Sequence

from typing_extensions import override

from domain.ports.security import SecretMissing, SecretReferences
from domain.secrets import Secret


class ChainedReferences(SecretReferences):
    """The first place that knows a reference is asked."""

    def __init__(self, places: Sequence[SecretReferences]) -> None:
        self._places = places

    @property
    @override
    def schemes(self) -> tuple[str, ...]:
        return tuple(scheme for place in self._places for scheme in place.schemes)

    @override
    def is_reference(self, text: str) -> bool:
        return any(place.is_reference(text) for place in self._places)

    @override
    async def resolve(self, reference: str) -> Secret:
        for place in self._places:
            if place.is_reference(reference):
                return await place.resolve(reference)
        raise SecretMissing(f"nothing is known that begins like '{reference[:8]}'")
