"""What the settings file says of objects at a start: those it declares, and those of a first start."""

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec

from application.bootstrap import BOOTSTRAP, DONE, PENDING
from application.desired_state.document import Document
from application.desired_state.planning import Plan
from application.desired_state.state import DesiredState
from application.desired_state.table import KINDS
from application.snapshot import GatewayState
from domain.actors import CONFIGURATION
from domain.ports.repositories import Store

CLAIM: Final = "declaring:"
"""Before the digest of what is to be made: the fact that counts the processes which wanted to make it."""

PATIENCE_SECONDS: Final = 15.0
POLL_SECONDS: Final = 0.2

_OBJECT_KINDS: Final = {kind.section: (kind.object_kind, *kind.also) for kind in KINDS}


class DeclarationRefused(Exception):
    """An object of the file cannot be made. The message is one line that names it and says why."""


class StartupObjects:
    """Makes what the settings file declares, and tells whose it is: in the API it is read-only from then on.

    Of several processes that start at once one makes it and the others wait; a start that finds all as it is declared
    writes nothing.
    """

    def __init__(self, desired_state: DesiredState, state: GatewayState, store: Store) -> None:
        self._desired_state = desired_state
        self._state = state
        self._store = store

    async def bootstrap(self, document: Document) -> None:
        """For an empty store: ordinary objects from now on. Raises `DeclarationRefused`, `RequestInvalid`.

        What a start that died has made of them stays, and the rest is made.
        """
        async with self._store.read() as unit:
            pending = await unit.facts.get(BOOTSTRAP) == PENDING
        if not pending:
            return
        if document:
            plan = await self._desired_state.plan(document)
            if plan.changes and not await self._is_first(plan):
                plan = await self._waited_for(document)
            if plan.changes or plan.problems:
                await self._make(document, plan)
        async with self._store.write() as unit:
            await unit.facts.put(BOOTSTRAP, DONE)

    async def declare(self, document: Document, file: str) -> None:
        """Raises like `bootstrap`."""
        if not document:
            return
        plan = await self._desired_state.plan(document, of_file=True)
        if plan.changes and not await self._is_first(plan):
            plan = await self._waited_for(document)
        if plan.changes or plan.problems:
            await self._make(document, plan)
        await self.own(document, file)

    async def own(self, document: Document, file: str) -> None:
        """Says whose the objects are, and makes none."""
        if document:
            plan = await self._desired_state.plan(document, of_file=True)
            self._state.owned_by_file = _owned(plan, file)

    async def _make(self, document: Document, plan: Plan) -> None:
        for step in plan.problems:
            raise DeclarationRefused(f"{step.section} ({step.key}): {step.why}")
        for outcome in await self._desired_state.apply(CONFIGURATION, document, of_file=True):
            if outcome.error:
                raise DeclarationRefused(f"{outcome.step.section} ({outcome.step.key}): {outcome.error}")

    async def _is_first(self, plan: Plan) -> bool:
        wanted = [(step.section, step.key, step.differences) for step in plan.changes]
        digest = hashlib.sha256(msgspec.json.encode(wanted)).hexdigest()[:32]
        async with self._store.write() as unit:
            return await unit.facts.bump(CLAIM + digest) == 1

    async def _waited_for(self, document: Document) -> Plan:
        """What is left to do once another process has done its part, or had the time for it."""
        plan = await self._desired_state.plan(document, of_file=True)
        until = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while plan.changes and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(POLL_SECONDS)
            plan = await self._desired_state.plan(document, of_file=True)
        return plan


def _owned(plan: Plan, file: str) -> Mapping[tuple[str, str], str]:
    return {
        (object_kind, step.found.id): file
        for step in plan.steps
        if step.found is not None and step.action not in {"extra", "delete"}
        for object_kind in _OBJECT_KINDS[step.section]
    }
