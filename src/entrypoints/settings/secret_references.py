"""Secrets by reference, in variables and in files as containers hand them over: of settings and of documents."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

from typing_extensions import override

from domain.ports.security import SecretMissing, SecretReferences
from domain.secrets import Secret

MAX_BYTES = 64 * 1024
"""Of a file: a service account's JSON has 2 KiB."""

IN_VAULT: Final = "vault:"
"""Before a reference that another one follows: it is left as it is here."""

_IN_ADDRESS = re.compile(r"\{((?:env|file):[^{}]+)\}")
_IN_VAULT = re.compile(r"\{(vault:[^{}]+)\}")


class LocalSecretReferences(SecretReferences):
    """`env:NAME` of these variables, and `file:PATH` as of this working folder. Asked anew each time."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    @property
    @override
    def schemes(self) -> tuple[str, ...]:
        return ("env:", "file:")

    @override
    def is_reference(self, text: str) -> bool:
        return text.startswith(self.schemes)

    @override
    async def resolve(self, reference: str) -> Secret:
        return self.read(reference)

    def read(self, reference: str) -> Secret:
        """The same, for those who read settings before anything runs."""
        scheme, _, name = reference.partition(":")
        return self._variable(name.strip()) if scheme == "env" else _file(name.strip())

    def within(self, text: str, *, of_address: bool = True) -> Secret:
        """A setting's secret: a reference, or an address with `{env:NAME}` or `{file:PATH}` in it, encoded for there.

        Any other text is the secret itself. Not `of_address`, a part is taken as it is. Raises `SecretMissing`.
        """
        if self.is_reference(text):
            return self.read(text)

        def put(found: re.Match[str]) -> str:
            value = self.read(found[1]).reveal()
            return quote(value, safe="") if of_address else value

        return Secret(_IN_ADDRESS.sub(put, text))

    def _variable(self, name: str) -> Secret:
        value = self._variables.get(name, "").strip()
        if not value:
            raise SecretMissing(f"the variable {name} is not set")
        return Secret(value)


def vault_references(text: str) -> tuple[str, ...]:
    """Those to Vault in a setting's secret: it is one, or an address that has some in it."""
    return (text,) if text.startswith(IN_VAULT) else tuple(_IN_VAULT.findall(text))


def with_vault(text: str, found: Mapping[str, Secret], *, of_address: bool = True) -> Secret:
    """The same with what they lead to, encoded where that stands in an address."""
    if text.startswith(IN_VAULT):
        return found[text]

    def put(match: re.Match[str]) -> str:
        value = found[match[1]].reveal()
        return quote(value, safe="") if of_address else value

    return Secret(_IN_VAULT.sub(put, text))


def _file(name: str) -> Secret:
    path = Path(name).expanduser()
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        value = data.decode().strip()
    except OSError as error:
        raise SecretMissing(f"the file {name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SecretMissing(f"the file {name} is no text") from error
    if not value or len(data) > MAX_BYTES:
        why = "is empty" if not value else f"has more than {MAX_BYTES} bytes"
        raise SecretMissing(f"the file {name} {why}")
    return Secret(value)
