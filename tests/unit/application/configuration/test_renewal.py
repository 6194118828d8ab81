"""Keys that are renewed where they are kept, while the gateway runs."""

import pytest

from application.configuration.declared import with_secrets
from application.configuration.renewal import SecretRenewal
from application.snapshot import DeclaredConfig
from domain.keys import ProviderKey
from domain.secrets import Secret
from tests.builders import a_provider, a_provider_key
from tests.fakes.administration import FakeAdministration
from tests.fakes.secret_references import FakeReferences

OLD, NEW = "up-old-0123456789", "up-new-0123456789"


class Forgotten:
    """Which keys were tried anew."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def forget_key(self, key_id: str) -> None:
        self.keys.append(key_id)


@pytest.fixture
async def admin() -> FakeAdministration:
    return await FakeAdministration(declared=[a_provider("own", owner="file")]).started()


@pytest.fixture
def references() -> FakeReferences:
    return FakeReferences({"env:KEPT": OLD})


@pytest.fixture
async def renewal(admin: FakeAdministration, references: FakeReferences) -> SecretRenewal:
    kept = a_provider_key("pk_kept", "own", owner="file", secret=Secret("env:KEPT"))
    plain = a_provider_key("pk_plain", "own", owner="file")
    declared = DeclaredConfig((a_provider("own", owner="file"),), (kept, plain))
    await admin.state.declare(await with_secrets(declared, references))
    return SecretRenewal(admin.state, references, admin.store, Forgotten())


def key_in_force(admin: FakeAdministration, key_id: str = "pk_kept") -> ProviderKey:
    return next(key for key in admin.state.current.by_id["own"].keys if key.id == key_id)


async def test_a_renewed_key_is_taken_up_without_a_restart_and_the_connections_stay(
    admin: FakeAdministration, renewal: SecretRenewal, references: FakeReferences
) -> None:
    lease, plain = admin.state.current.by_id["own"].lease, key_in_force(admin, "pk_plain")
    assert key_in_force(admin).secret == Secret(OLD)
    references.values["env:KEPT"] = NEW

    await renewal.turn()

    assert renewal.has_work
    assert key_in_force(admin).secret == Secret(NEW)
    assert key_in_force(admin, "pk_plain") == plain
    assert admin.state.current.by_id["own"].lease is lease
    assert renewal._policy.keys.count("pk_kept") == 1  # type: ignore[attr-defined]  # the double above


@pytest.mark.parametrize("gone", [None, "", "changeme with spaces\n"])
async def test_a_key_that_cannot_be_read_for_the_moment_serves_on(
    admin: FakeAdministration, renewal: SecretRenewal, references: FakeReferences, gone: str | None
) -> None:
    generation = admin.state.generation
    if gone is None:
        del references.values["env:KEPT"]
    else:
        references.values["env:KEPT"] = gone

    await renewal.turn()
    await renewal.turn()

    assert key_in_force(admin).secret == Secret(OLD)
    assert admin.state.generation == generation


async def test_what_did_not_change_swaps_nothing(admin: FakeAdministration, renewal: SecretRenewal) -> None:
    generation = admin.state.generation

    await renewal.turn()

    assert admin.state.generation == generation


async def test_who_keeps_no_key_elsewhere_has_no_work(admin: FakeAdministration, references: FakeReferences) -> None:
    assert not SecretRenewal(admin.state, references, admin.store, Forgotten()).has_work
