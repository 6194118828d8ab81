"""A provider's keys as an admin changes them."""

import json

import pytest

from application.configuration.new_providers import NewProvider
from domain.availability import ProviderStatus
from domain.errors import Conflict, NotFound, RequestInvalid, UpstreamFailure
from domain.failover import FailureKind, FailureScope
from domain.secrets import Secret
from tests.fakes.administration import ACTOR, FakeAdministration


@pytest.fixture
async def key_id(admin: FakeAdministration) -> str:
    await admin.providers.create(ACTOR, NewProvider(id="alpha", base_url="https://alpha.example/v1"))
    view = await admin.keys.add(ACTOR, "alpha", secret=Secret("upstream-key-1"), label="main", weight=2)
    return view.key.id


async def test_an_added_key_serves_at_once(admin: FakeAdministration, key_id: str) -> None:
    live = admin.state.current.by_id["alpha"]

    assert [key.id for key in live.keys] == [key_id]
    assert live.keys[0].secret == Secret("upstream-key-1")
    assert (live.keys[0].label, live.keys[0].weight) == ("main", 2)


async def test_white_space_around_a_pasted_secret_is_dropped(admin: FakeAdministration, key_id: str) -> None:
    view = await admin.keys.add(ACTOR, "alpha", secret=Secret("  upstream-key-2\n"), label="", weight=1)

    assert view.key.secret == Secret("upstream-key-2")


async def test_credentials_are_taken_as_a_cloud_console_writes_them(admin: FakeAdministration, key_id: str) -> None:
    """They do not stand in a header themselves; what is kept is one word all the same."""
    written = {
        "type": "service_account",
        "private_key": "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n",
    }

    view = await admin.keys.add(ACTOR, "alpha", secret=Secret(json.dumps(written, indent=2)), label="", weight=1)

    kept = view.key.secret.reveal()
    assert json.loads(kept) == written
    assert not any(character.isspace() for character in kept)


@pytest.mark.parametrize("secret", ["", "   ", "{not json", "{}}", "two words", "line\nbreak", "naïve-key", "x" * 9000])
async def test_a_secret_that_could_not_stand_in_a_header_is_refused(
    admin: FakeAdministration, key_id: str, secret: str
) -> None:
    with pytest.raises(RequestInvalid) as caught:
        await admin.keys.add(ACTOR, "alpha", secret=Secret(secret), label="", weight=1)

    assert caught.value.param == "secret"


async def test_the_same_secret_is_stored_once(admin: FakeAdministration, key_id: str) -> None:
    with pytest.raises(Conflict, match=key_id):
        await admin.keys.add(ACTOR, "alpha", secret=Secret("upstream-key-1"), label="again", weight=1)


async def test_a_declared_provider_takes_further_keys_and_keeps_its_own(admin: FakeAdministration) -> None:
    added = await admin.keys.add(ACTOR, "groq", secret=Secret("upstream-key-2"), label="", weight=1)

    page = await admin.keys.list_page("groq", 50, None)

    assert [view.key.id for view in page.data] == ["pk_env_groq", added.key.id]
    for attempt in (
        admin.keys.update(ACTOR, "groq", "pk_env_groq", label="x"),
        admin.keys.delete(ACTOR, "groq", "pk_env_groq"),
    ):
        with pytest.raises(Conflict, match="environment"):
            await attempt


async def test_a_key_is_found_only_at_its_own_provider(admin: FakeAdministration, key_id: str) -> None:
    for attempt in (
        admin.keys.get("groq", key_id),
        admin.keys.update(ACTOR, "groq", key_id, label="x"),
        admin.keys.delete(ACTOR, "groq", key_id),
        admin.keys.retry(ACTOR, "groq", key_id),
        admin.keys.list_page("nobody", 50, None),
        admin.keys.add(ACTOR, "nobody", secret=Secret("upstream-key-2"), label="", weight=1),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_a_change_leaves_what_it_does_not_name(admin: FakeAdministration, key_id: str) -> None:
    view = await admin.keys.update(ACTOR, "alpha", key_id, weight=5)

    assert (view.key.label, view.key.weight, view.key.secret) == ("main", 5, Secret("upstream-key-1"))


def refuse(admin: FakeAdministration, key_id: str) -> None:
    failure = UpstreamFailure(FailureKind.INVALID_CREDENTIAL, "no such key")
    admin.availability.record_failure("alpha", key_id, "m", failure)


async def test_a_new_secret_starts_afresh_and_a_new_label_does_not(admin: FakeAdministration, key_id: str) -> None:
    refuse(admin, key_id)

    renamed = await admin.keys.update(ACTOR, "alpha", key_id, label="other")
    replaced = await admin.keys.update(ACTOR, "alpha", key_id, secret=Secret("upstream-key-3"))

    assert renamed.standing.status is ProviderStatus.INVALID_KEY
    assert renamed.standing.reason == "no such key"
    assert replaced.standing.status is ProviderStatus.AVAILABLE


async def test_a_retry_makes_a_key_available(admin: FakeAdministration, key_id: str) -> None:
    refuse(admin, key_id)

    view = await admin.keys.retry(ACTOR, "alpha", key_id)

    assert view.standing.status is ProviderStatus.AVAILABLE


async def test_a_deleted_key_is_gone_and_nothing_is_held_against_its_id(admin: FakeAdministration, key_id: str) -> None:
    refuse(admin, key_id)

    await admin.keys.delete(ACTOR, "alpha", key_id)

    assert admin.state.current.by_id["alpha"].keys == ()
    assert admin.availability.key_state(key_id).reason == ""


async def test_every_write_is_told_to_other_processes(admin: FakeAdministration, key_id: str) -> None:
    before = await admin.config_version()

    await admin.keys.update(ACTOR, "alpha", key_id, label="x")
    await admin.keys.delete(ACTOR, "alpha", key_id)

    assert await admin.config_version() == before + 2


async def test_a_model_that_rests_is_told_beside_its_key_until_the_key_is_retried(
    admin: FakeAdministration, key_id: str
) -> None:
    spent = UpstreamFailure(FailureKind.QUOTA_EXHAUSTED, "the day is spent", scope=FailureScope.MODEL)
    admin.availability.record_failure("alpha", key_id, "big", spent)

    view = await admin.keys.get("alpha", key_id)

    assert view.standing.status is ProviderStatus.AVAILABLE
    assert [(state.model, state.reason) for state in view.resting_models] == [("big", "the day is spent")]
    assert (await admin.keys.retry(ACTOR, "alpha", key_id)).resting_models == ()
