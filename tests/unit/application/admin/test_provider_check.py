"""Testing a stored provider (S-16): one small call, the result in words, and nothing learned from it."""

import asyncio

import pytest

from domain.availability import KeyCondition
from domain.errors import NotFound
from domain.failover import FailureKind
from domain.providers import ProviderSettings
from tests.builders import a_provider, a_provider_key
from tests.fakes.administration import FakeAdministration
from tests.fakes.providers import FakeChatProvider, FakeLister, failure

ALPHA = a_provider("alpha", settings=ProviderSettings(default_model="m"))
KEY = a_provider_key("pk_1", "alpha")


async def with_lister(lister: FakeLister) -> FakeAdministration:
    return await FakeAdministration(declared=[ALPHA], declared_keys=[KEY], listers={"alpha": lister}).started()


async def test_a_model_list_is_the_free_call() -> None:
    chat, lister = FakeChatProvider(), FakeLister(["a", "b"])
    admin = FakeAdministration(declared=[ALPHA], declared_keys=[KEY], chats={"alpha": chat}, listers={"alpha": lister})
    await admin.started()

    result = await admin.tests.run("alpha")

    assert (result.ok, result.call, result.models) == (True, "list_models", 2)
    assert "2 models" in result.message
    assert chat.calls == []


async def test_without_a_model_list_one_token_is_asked_for() -> None:
    chat = FakeChatProvider()
    admin = await FakeAdministration(declared=[ALPHA], declared_keys=[KEY], chats={"alpha": chat}).started()

    result = await admin.tests.run("alpha")

    assert (result.ok, result.call) == (True, "chat")
    assert (chat.calls[0].model, chat.calls[0].payload.value.max_completion_tokens) == ("m", 1)
    assert chat.calls[0].key == KEY


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (FailureKind.INVALID_CREDENTIAL, "refuses the key"),
        (FailureKind.CONNECT, "cannot be reached"),
        (FailureKind.RATE_LIMITED, "rate limited"),
        (FailureKind.TIMEOUT, "in time"),
        (FailureKind.CLIENT_FAULT, "refused the call"),
    ],
)
async def test_a_failure_is_told_in_words_and_changes_nothing(kind: FailureKind, words: str) -> None:
    admin = await with_lister(FakeLister(failure(kind, status=418)))

    result = await admin.tests.run("alpha")

    assert (result.ok, result.status) == (False, 418)
    assert words in result.message
    assert "provider says" in result.message
    assert admin.availability.key_state("pk_1").condition is KeyCondition.AVAILABLE
    assert admin.availability.drain_changes() == ()


async def test_without_a_key_nothing_is_called() -> None:
    lister = FakeLister(["a"])
    admin = await FakeAdministration(declared=[ALPHA], listers={"alpha": lister}).started()

    result = await admin.tests.run("alpha")

    assert (result.ok, result.call, lister.calls) == (False, "none", 0)
    assert "/admin/providers/alpha/keys" in result.message


async def test_a_provider_that_cannot_be_built_says_why() -> None:
    admin = await FakeAdministration(declared=[a_provider("alpha", kind="unknown")], declared_keys=[KEY]).started()

    result = await admin.tests.run("alpha")

    assert not result.ok
    assert "kind 'unknown'" in result.message


async def test_tests_that_come_together_share_one_call() -> None:
    lister = FakeLister(["a"])
    admin = await with_lister(lister)

    await asyncio.gather(*(admin.tests.run("alpha") for _ in range(5)))
    await admin.tests.run("alpha")
    assert lister.calls == 1
    admin.clock.advance(2)
    await admin.tests.run("alpha")

    assert lister.calls == 2


async def test_an_unknown_provider_is_not_found() -> None:
    admin = await FakeAdministration().started()

    with pytest.raises(NotFound):
        await admin.tests.run("alpha")


async def test_a_good_test_makes_its_key_available_and_has_the_other_refused_ones_asked_again() -> None:
    keys = [KEY, a_provider_key("pk_2", "alpha")]
    admin = FakeAdministration(declared=[ALPHA], declared_keys=keys, listers={"alpha": FakeLister(["a"])})
    await admin.started()
    for key in keys:
        admin.availability.record_failure("alpha", key.id, "m", failure(FailureKind.INVALID_CREDENTIAL))

    assert (await admin.tests.run("alpha")).ok

    assert admin.availability.key_state("pk_1").condition is KeyCondition.AVAILABLE
    assert admin.availability.take_probe("pk_2")
