"""The limits and budgets that settings give to every key and tenant without their own."""

from application.admission.default_rules import Defaults
from domain.limits import Budget, RateLimits
from entrypoints.settings.model import Settings


def default_rules(settings: Settings) -> Defaults:
    """For keys and tenants alike."""
    limits = RateLimits(rpm=settings.default_rpm, tpm=settings.default_tpm, parallel=settings.default_parallel)
    budgets: tuple[Budget, ...] = ()
    if settings.default_budget_usd is not None:
        budgets = (Budget(limit_usd=settings.default_budget_usd, period=settings.default_budget_period),)
    return Defaults(limits, limits, budgets, budgets, budgets)
