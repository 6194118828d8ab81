"""Documents over an administration of fakes."""

import pytest

from application.desired_state.state import DesiredState
from domain.keys import VIRTUAL_KEY_PREFIX, generate_key
from tests.builders import a_provider
from tests.fakes.administration import FakeAdministration
from tests.fakes.secret_references import FakeReferences

WITH_ALL_PRICES = {
    "provider": "own",
    "model": "long",
    "prices": {
        "input": "1.25",
        "output": "10",
        "tiers": [{"above_input_tokens": 200000, "input": "2.50", "output": "15.00", "fees": {"maps": "0.02"}}],
        "variants": {
            "service_tier:flex": {"input": "0.625", "tiers": [{"above_input_tokens": 200000, "input": "1.25"}]},
            "batch": {"output": "5", "fees": {"web_search": "0.005"}},
        },
        "fees": {"web_search": "0.01"},
    },
    "units": {"image": {"1024x1024/high": "0.167", "*": "0.04"}, "request": "0.001"},
}
"""A model with tiers, variants, fees and units."""

CI_KEY = generate_key(VIRTUAL_KEY_PREFIX).reveal()


@pytest.fixture
async def admin() -> FakeAdministration:
    """With `groq` declared by the environment."""
    groq = a_provider("groq", owner="environment", priority=40)
    return await FakeAdministration(declared=[groq]).started()


@pytest.fixture
def references() -> FakeReferences:
    values = {"env:CI_KEY": CI_KEY, "env:UPSTREAM": "up-0123456789", "env:SIGNING": "whsec_0123456789"}
    return FakeReferences(values | {"env:PASSWORD": "a long and unusual phrase"})


@pytest.fixture
def desired_state(admin: FakeAdministration, references: FakeReferences) -> DesiredState:
    return DesiredState(admin.administration, references)
