"""A simulated day over six providers makes no call that a known quota forbids, and uses up what is small (A6)."""

import pytest
from bench.free_tiers import MODELS, Account, a_day

from adapters.providers.kinds import ENTRIES
from domain.usage import TokenUsage

SMALL = [("openrouter", "free models"), ("gemini", "gemini-3.8-flash")]


@pytest.mark.slow
@pytest.mark.parametrize("written", [False, True], ids=["registry", "written down"])
async def test_no_call_is_made_that_a_known_quota_forbids(*, written: bool) -> None:
    day = await a_day(1_200, seed=7, written=written)

    assert day.forbidden == 0
    assert day.trials == 0 if written else 0 < day.trials <= 12
    assert sum(day.by_provider.values()) == day.served
    by_day = [each for each in day.shares if each.quota == "requests a day" and (each.provider, each.models) in SMALL]
    assert len(by_day) == len(SMALL)
    assert all(share.used == share.limit for share in by_day)


def test_the_accounts_of_the_simulation_refuse_what_is_beyond_them() -> None:
    """Otherwise a day without refusals would show nothing."""
    presets = {entry.id: entry.preset for entry in ENTRIES if entry.id in MODELS}
    for name, models in MODELS.items():
        account, model, now = Account(presets[name]), models[0], 1_795_600_000.0
        for _ in range(2_000):
            if account.spent(model, now, TokenUsage(10)) is not None:
                break
            account.calls.append((now, model, TokenUsage(10)))
            now += 0.01
        assert account.spent(model, now, TokenUsage(10)) is not None
