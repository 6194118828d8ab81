"""Which deployments a principal may use."""

from collections.abc import Sequence

from domain.errors import PermissionDenied
from domain.keys import Principal
from domain.routing import Candidate


def allows(principal: Principal, provider_id: str, model: str) -> bool:
    """Whether the principal may call this model at this provider.

    An entry of `allowed_models` is a model id, `provider/model`, `provider/*` or `*`.
    """
    providers, models = principal.allowed_providers, principal.allowed_models
    if providers is not None and provider_id not in providers:
        return False
    if models is None:
        return True
    return model in models or f"{provider_id}/{model}" in models or f"{provider_id}/*" in models or "*" in models


class Gate:
    """Admission: turns a plan into what this principal may do of it. Limits and budgets join here."""

    def admit(self, principal: Principal, requested_model: str, plan: Sequence[Candidate]) -> Sequence[Candidate]:
        """The permitted part of the plan, in its order. Raises `PermissionDenied` where nothing is left."""
        if principal.allowed_models is None and principal.allowed_providers is None:
            return plan
        permitted = [c for c in plan if allows(principal, c.provider.id, c.model)]
        if not permitted:
            raise PermissionDenied(
                f"This API key may not use the model '{requested_model}'.", code="model_not_allowed", param="model"
            )
        return permitted
