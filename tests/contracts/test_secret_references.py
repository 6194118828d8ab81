"""What every place of secrets promises: a reference leads to the secret, or to words that name it and no value."""

import pytest

from application.configuration.secret_references import ChainedReferences
from domain.ports.security import SecretMissing, SecretReferences
from domain.secrets import Secret
from entrypoints.settings.secret_references import LocalSecretReferences
from tests.fakes.secret_references import FakeReferences

VALUE = "0123456789-the-secret"


@pytest.fixture(params=["fake", "local", "chained"])
def references(request: pytest.FixtureRequest) -> SecretReferences:
    if request.param == "fake":
        return FakeReferences({"env:THERE": VALUE})
    local = LocalSecretReferences({"THERE": VALUE, "EMPTY": ""})
    return local if request.param == "local" else ChainedReferences((FakeReferences({}), local)[::-1])


async def test_a_reference_leads_to_its_secret(references: SecretReferences) -> None:
    assert references.is_reference("env:THERE")
    assert await references.resolve("env:THERE") == Secret(VALUE)


async def test_one_that_leads_nowhere_is_named(references: SecretReferences) -> None:
    with pytest.raises(SecretMissing, match="NOWHERE") as raised:
        await references.resolve("env:NOWHERE")

    assert VALUE not in str(raised.value)


@pytest.mark.parametrize("text", ["", "env", "sk-0123456789", VALUE, "other:THERE"])
def test_what_does_not_begin_like_a_reference_is_none(references: SecretReferences, text: str) -> None:
    assert not references.is_reference(text)
    assert all(scheme.endswith(":") for scheme in references.schemes)
