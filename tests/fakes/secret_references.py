"""References to secrets that lead into a dictionary."""

from collections.abc import Mapping

from typing_extensions import override

from domain.ports.security import SecretMissing, SecretReferences
from domain.secrets import Secret


class FakeReferences(SecretReferences):
    """Of one scheme, `env:`."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = dict(values)

    @property
    @override
    def schemes(self) -> tuple[str, ...]:
        return ("env:",)

    @override
    def is_reference(self, text: str) -> bool:
        return text.startswith("env:")

    @override
    async def resolve(self, reference: str) -> Secret:
        if reference not in self.values:
            raise SecretMissing(f"the variable {reference.removeprefix('env:')} is not set")
        return Secret(self.values[reference])
