"""The deployments that `auto` chooses among, with what they are good at; kept until the configuration changes."""

from collections.abc import Mapping, Sequence
from datetime import date

import msgspec

from application.catalog import ModelDirectory
from application.routing.router import AUTO, PriorityRouter
from application.snapshot import GatewayState, LiveProvider
from domain.ports.models import ModelFactBook
from domain.ports.tasks import ShippedStrengths
from domain.routing import Candidate
from domain.tasks import Task

MAX_DEPLOYMENTS = 64
"""Of one plan: each costs some microseconds to compare. Providers that are tried first have theirs first."""


class Deployment(msgspec.Struct, frozen=True):
    """One of them. `strengths` are by task; those in `assumed` are the median, for want of a figure.

    `named` is what an operator or the preset chose; the others are there only while they have a price.
    """

    candidate: Candidate
    live: LiveProvider
    strengths: Mapping[Task, float]
    assumed: frozenset[Task]
    named: bool
    retired_at: date | None = None


class AutoPool:
    """What an operator named of a provider; where nothing was, its default and every model that it lists for chat of
    which both a price and a strength are known. So nobody's first request goes to a model that nobody knows."""

    def __init__(
        self,
        router: PriorityRouter,
        state: GatewayState,
        directory: ModelDirectory,
        shipped: ShippedStrengths,
        facts: ModelFactBook,
    ) -> None:
        self._router = router
        self._state = state
        self._directory = directory
        self._shipped = shipped
        self._facts = facts
        self._kept: dict[str | None, Sequence[Deployment]] = {}
        self._of = (-1, -1)

    def deployments(self, pinned: str | None) -> Sequence[Deployment]:
        """By provider priority, a provider's default first. `pinned` is the only provider there may be."""
        generations = (self._state.generation, self._directory.generation)
        if generations != self._of:
            self._kept.clear()
            self._of = generations
        found = self._kept.get(pinned)
        if found is None:
            found = self._kept[pinned] = tuple(self._found(pinned))[:MAX_DEPLOYMENTS]
        return found

    def is_a_model(self, name: str) -> bool:
        """Whether a provider lists a model of this very name, so that no choice is meant."""
        return any(self._directory.offers(live, name) for live in self._state.current.live)

    def _found(self, pinned: str | None) -> Sequence[Deployment]:
        return [
            self._deployment(live, model, named=named)
            for live in self._state.current.live
            if pinned in (None, live.provider.id)
            for model, named in self._models(live).items()
        ]

    def _models(self, live: LiveProvider) -> Mapping[str, bool]:
        """Each with whether it was named."""
        settings = live.provider.settings
        default = self._directory.default_model(live)
        named = {default: True} if default is not None else {}
        chatting = self._directory.chat_models(live)
        if settings.models or settings.default_model:
            return named | {model: True for model in chatting if model in settings.models}
        known = (model for model in chatting if self._strengths_known(live, model))
        return named | {model: False for model in known if model not in named}

    def _deployment(self, live: LiveProvider, model: str, *, named: bool) -> Deployment:
        known = self._strengths_known(live, model)
        strengths, assumed = dict(self._shipped.medians()), set(Task)
        for task in Task:
            value = known.get(task.value)
            if value is not None:
                strengths[task] = value
                assumed.discard(task)
        candidate, end = self._router.deployment(live, model, AUTO), self._facts.of(live.provider.id, model).retired_at
        return Deployment(candidate, live, strengths, frozenset(assumed), named, end)

    def _strengths_known(self, live: LiveProvider, model: str) -> Mapping[str, float]:
        return self._facts.of(live.provider.id, model).strengths or {}
