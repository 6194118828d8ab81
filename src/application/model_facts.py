"""The book of what is known of models: an admin's word over what was shipped, kept in memory."""

from collections.abc import Mapping

from typing_extensions import override

from application.snapshot import GatewayState
from domain.model_facts import NOTHING_KNOWN, ModelFacts
from domain.ports.lifecycle import ModelLifecycle, ShippedPolicies
from domain.ports.models import ModelFactBook
from domain.ports.repositories import UnitOfWork
from domain.ports.tasks import ShippedStrengths

MAX_REMEMBERED = 5_000


class LiveModelFacts(ModelFactBook):
    """Call `reload` when what admins set has changed."""

    def __init__(
        self, state: GatewayState, lifecycle: ModelLifecycle, policies: ShippedPolicies, strengths: ShippedStrengths
    ) -> None:
        self._state = state
        self._ends = lifecycle.ends()
        self._policies = policies
        self._strengths = strengths
        self._strengths_of: dict[str, Mapping[str, float] | None] = {}  # by model, looked for once
        self.overrides: Mapping[tuple[str, str], ModelFacts] = {}

    async def reload(self, unit: UnitOfWork) -> None:
        """Read what admins have set. Raises `StoreUnavailable` and keeps what it knew."""
        stored = await unit.model_facts.list_all()
        self.overrides = {(each.provider_id, each.model): each.facts for each in stored}

    @override
    def of(self, provider_id: str, model: str) -> ModelFacts:
        shipped = self._shipped(provider_id, model)
        own = self.overrides.get((provider_id, model))
        return own.over(shipped) if own is not None else shipped

    def _shipped(self, provider_id: str, model: str) -> ModelFacts:
        strengths = self._compared(model)
        for declared in self._state.declared.facts:
            if (declared.provider_id, declared.model) == (provider_id, model):
                return declared.facts.over(ModelFacts(strengths=strengths))
        live = self._state.current.by_id.get(provider_id)
        known_as = live.preset.id if live is not None and live.preset is not None else provider_id
        end, policy = self._ends.get((known_as, model)), self._policies.of(known_as, model)
        if end is None:
            return ModelFacts(strengths=strengths, data_policy=policy) if strengths or policy else NOTHING_KNOWN
        return ModelFacts(
            strengths=strengths,
            data_policy=policy,
            deprecated_at=end.deprecated_at,
            retired_at=end.retired_at,
            successor=end.successor,
        )

    def _compared(self, model: str) -> Mapping[str, float] | None:
        """By task, what public comparisons say of the model's family; None where nobody compared it."""
        if model not in self._strengths_of:
            if len(self._strengths_of) >= MAX_REMEMBERED:
                self._strengths_of.clear()
            said = self._strengths.of(model)
            self._strengths_of[model] = {task.value: each.value for task, each in said.items()} or None
        return self._strengths_of[model]
