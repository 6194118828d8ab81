"""Keys that are declared with a reference to a place that is asked at the start."""

import pytest

from application.configuration.declared import DeclarationInvalid, with_secrets
from application.snapshot import DeclaredConfig
from domain.secrets import Secret
from tests.builders import a_provider_key
from tests.fakes.secret_references import FakeReferences


async def test_a_reference_is_followed_and_a_secret_stays() -> None:
    keys = (a_provider_key("pk_1", secret=Secret("env:VAULTED")), a_provider_key("pk_2", secret=Secret("sk-plain")))

    found = await with_secrets(DeclaredConfig(keys=keys), FakeReferences({"env:VAULTED": "sk-from-there"}))

    assert [key.secret for key in found.keys] == [Secret("sk-from-there"), Secret("sk-plain")]


@pytest.mark.parametrize("value", [None, "two words"])
async def test_one_that_leads_nowhere_or_to_no_key_names_the_key(value: str | None) -> None:
    config = DeclaredConfig(keys=(a_provider_key("pk_1", "lab", label="main", secret=Secret("env:VAULTED")),))
    places = FakeReferences({} if value is None else {"env:VAULTED": value})

    with pytest.raises(DeclarationInvalid, match="key 'main' of provider 'lab'"):
        await with_secrets(config, places)
