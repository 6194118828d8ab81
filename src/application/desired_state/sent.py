"""Documents that a shell elsewhere sends: planned, applied and exported for an admin, over the admin API."""

from collections.abc import Mapping, Sequence
from typing import Final

from typing_extensions import override

from application.desired_state.document import Document
from application.desired_state.objects import Administration
from application.desired_state.planning import Plan
from application.desired_state.state import DesiredState, Outcome
from domain.actors import Actor
from domain.authority import Right, require
from domain.ports.security import SecretMissing, SecretReferences
from domain.secrets import Secret

_SCHEMES: Final = ("env:", "file:", "vault:")


class NothingFollowed(SecretReferences):
    """Of a document from elsewhere: its references lead to what is over there, and nothing here is read for them."""

    @property
    @override
    def schemes(self) -> tuple[str, ...]:
        return _SCHEMES

    @override
    def is_reference(self, text: str) -> bool:
        return text.startswith(_SCHEMES)

    @override
    async def resolve(self, reference: str) -> Secret:
        raise SecretMissing(f"'{reference}' leads to no secret where the document is sent from")


class SentDocuments:
    """What `omg config` does here, for whoever may change the platform. `secrets` are what its references lead to."""

    def __init__(self, administration: Administration) -> None:
        self._desired_state = DesiredState(administration, NothingFollowed())

    async def plan(self, actor: Actor, document: Document, secrets: Mapping[str, str], *, prune: bool) -> Plan:
        """Raises `PermissionDenied`, and `RequestInvalid` for no document."""
        require(actor, Right.PLATFORM_WRITE, "")  # a plan says whether a secret is the stored one
        return await self._desired_state.plan(document, prune=prune, known=_known(secrets))

    async def apply(
        self, actor: Actor, document: Document, secrets: Mapping[str, str], *, prune: bool
    ) -> tuple[Plan, Sequence[Outcome]]:
        """What was planned, and what became of it: nothing where something cannot be done. Raises like `plan`."""
        plan = await self.plan(actor, document, secrets, prune=prune)
        if plan.problems or not plan.changes:
            return plan, ()
        return plan, await self._desired_state.apply(actor, document, prune=prune, known=_known(secrets))

    async def export(self, actor: Actor) -> Document:
        """Raises `PermissionDenied`."""
        require(actor, Right.PLATFORM_READ, "")
        return await self._desired_state.export()


def _known(secrets: Mapping[str, str]) -> Mapping[str, Secret]:
    return {reference: Secret(value) for reference, value in secrets.items()}
