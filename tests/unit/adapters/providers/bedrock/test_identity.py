"""Credentials from botocore's chain: found in a thread, kept, and renewed before they are over."""

import threading
from collections.abc import Callable
from typing import NamedTuple

import pytest
from botocore.exceptions import BotoCoreError, ConnectTimeoutError, NoCredentialsError

from adapters.providers.bedrock.identity import AccessKey, AwsIdentity
from domain.errors import UpstreamFailure
from domain.failover import FailureKind


class Frozen(NamedTuple):
    access_key: str
    secret_key: str
    token: str | None


class Renewing:
    """Temporary credentials as botocore has them."""

    def __init__(self) -> None:
        self.due = False
        self.number = 1
        self.threads: set[int] = set()

    def refresh_needed(self) -> bool:
        return self.due

    def get_frozen_credentials(self) -> Frozen:
        if self.due:
            self.threads.add(threading.get_ident())
            self.due = False
            self.number += 1
        return Frozen(f"A{self.number}", "s", "t")


async def test_what_the_chain_finds_is_kept_and_renewed_off_the_loop() -> None:
    found = Renewing()
    asked: list[str | None] = []

    def chain(profile: str | None) -> Renewing:
        asked.append(profile)
        return found

    identity = AwsIdentity({"AWS_PROFILE": "work"}, chain)
    first, again = await identity.of(None), await identity.of(None)
    found.due = True
    renewed = await identity.of(None)

    assert asked == ["work"]
    assert first == again == AccessKey("A1", "s", "t")
    assert renewed == AccessKey("A2", "s", "t")
    assert found.threads
    assert threading.get_ident() not in found.threads


def nothing(profile: str | None) -> None:
    return None


def failing(error: Exception) -> Callable[[str | None], object]:
    def chain(profile: str | None) -> object:
        raise error

    return chain


@pytest.mark.parametrize(
    ("chain", "kind"),
    [
        (nothing, FailureKind.INVALID_CREDENTIAL),
        (failing(NoCredentialsError()), FailureKind.INVALID_CREDENTIAL),
        (failing(BotoCoreError()), FailureKind.INVALID_CREDENTIAL),
        (failing(ConnectTimeoutError(endpoint_url="http://x")), FailureKind.CONNECT),
    ],
)
async def test_what_the_chain_cannot_find_is_a_failure_with_words(
    chain: Callable[[str | None], object], kind: FailureKind
) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        await AwsIdentity({}, chain).of(None)

    assert caught.value.kind is kind
    assert "AWS" in caught.value.message
