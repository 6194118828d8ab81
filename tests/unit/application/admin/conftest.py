"""An administration over fakes."""

import pytest

from tests.builders import a_provider, a_provider_key
from tests.fakes.administration import FakeAdministration


@pytest.fixture
async def admin() -> FakeAdministration:
    """With `groq` and its key declared by the environment."""
    groq = a_provider("groq", owner="environment", priority=40)
    key = a_provider_key("pk_env_groq", "groq", owner="environment", label="environment")
    return await FakeAdministration(declared=[groq], declared_keys=[key]).started()
