"""References to secrets in a document, followed: a secret itself never stands in one."""

from collections.abc import Iterable, Mapping

from application.admin.virtual_keys import Credential
from domain.errors import RequestInvalid
from domain.keys import imported_from
from domain.ports.security import SecretMissing, SecretReferences
from domain.secrets import Secret

_DIGEST = "sha256:"


class Secrets:
    """What the references of one document lead to."""

    def __init__(self, found: Mapping[str, Secret | str]) -> None:
        self._found = found

    def read(
        self, reference: str | None, where: str, *, digests: bool = False
    ) -> tuple[Secret | None, Credential | None]:
        """The secret, or with `digests` the SHA-256 that another gateway has of a key (`sha256:<64 hex>[:last four]`).

        Neither where there is no reference. Raises `RequestInvalid` for one that leads nowhere.
        """
        if reference is None:
            return None, None
        if digests and reference.startswith(_DIGEST):
            digest, _, last4 = reference.removeprefix(_DIGEST).partition(":")
            try:
                return None, Credential(imported_from(digest), last4[:4])
            except ValueError as error:
                raise RequestInvalid(f"{where}: {error}") from error
        found = self._found[reference]
        if isinstance(found, str):
            raise RequestInvalid(f"{where}: {found}")
        return found, None


async def followed(references: SecretReferences, wanted: Iterable[str], known: Mapping[str, Secret]) -> Secrets:
    """All of them, each once, but for those that are known. One that leads nowhere is told when it is read."""
    found: dict[str, Secret | str] = dict(known)
    for reference in dict.fromkeys(wanted):
        if reference in found:
            continue
        if not references.is_reference(reference):
            schemes = ", ".join(references.schemes)
            found[reference] = f"it says where the secret is, and is no secret itself: it begins with {schemes}"
            continue
        try:
            found[reference] = await references.resolve(reference)
        except SecretMissing as error:
            found[reference] = str(error)
    return Secrets(found)
