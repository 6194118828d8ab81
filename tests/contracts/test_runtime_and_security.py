"""What every clock, factory of ids, hasher of keys, box of secrets and sink of records promises, the fakes included."""

import os
import re
from collections.abc import Callable
from datetime import UTC, timedelta

import pytest

from adapters.clock import SystemClock, Uuid7Ids
from adapters.security.key_ring import KeyRing
from adapters.security.secret_box import AesGcmSecretBox, HmacKeyHasher
from adapters.telemetry.log_lines import BoundedOutput, LogUsageSink
from domain.ports.runtime import Clock, IdFactory, UsageSink
from domain.ports.security import KeyHasher, SecretBox, SecretUnreadable
from domain.secrets import Secret
from tests.builders import a_request_record
from tests.fakes.clock import FakeClock
from tests.fakes.ids import CountingIds
from tests.fakes.security import FakeBox, FakeHasher
from tests.fakes.usage import RememberingSink

RING = KeyRing.generate()


@pytest.mark.parametrize("make", [SystemClock, FakeClock])
def test_a_clock_tells_utc_and_never_runs_backwards(make: Callable[[], Clock]) -> None:
    clock = make()
    stamps, seconds = [clock.now() for _ in range(3)], [clock.monotonic() for _ in range(3)]

    assert {stamp.tzinfo for stamp in stamps} == {UTC}
    assert {stamp.utcoffset() for stamp in stamps} == {timedelta(0)}
    assert seconds == sorted(seconds)


@pytest.mark.parametrize("make", [Uuid7Ids, CountingIds])
def test_ids_are_unique_and_grow_with_time(make: Callable[[], IdFactory]) -> None:
    ids = make()
    made = [ids.new("key") for _ in range(500)]

    assert all(re.fullmatch(r"key_[0-9a-f]{32}", found) for found in made)
    assert made == sorted(set(made))
    assert ids.new("pk").startswith("pk_")


HASHERS: list[tuple[KeyHasher, KeyHasher]] = [
    (HmacKeyHasher(RING), HmacKeyHasher(RING.rotated())),
    (FakeHasher("old"), FakeHasher("new", "old")),
]
"""A hasher, and the same after its pepper was renewed."""


@pytest.mark.parametrize(("before", "after"), HASHERS)
def test_a_digest_is_of_32_bytes_and_found_again_after_a_new_pepper(before: KeyHasher, after: KeyHasher) -> None:
    digest = before.digest("sk-omg-abc")

    assert len(digest) == 32
    assert digest == before.digest("sk-omg-abc") != before.digest("sk-omg-abd")
    assert before.digests("sk-omg-abc")[0] == digest
    assert after.digest("sk-omg-abc") != digest
    assert after.digests("sk-omg-abc") == (after.digest("sk-omg-abc"), digest)


BOXES: list[tuple[SecretBox, SecretBox]] = [
    (AesGcmSecretBox(RING), AesGcmSecretBox(RING.rotated())),
    (FakeBox("k1"), FakeBox("k2")),
]
"""A box, and the same after its key was renewed."""


@pytest.mark.parametrize(("before", "after"), BOXES)
def test_a_sealed_secret_opens_for_its_row_alone_also_under_a_new_key(before: SecretBox, after: SecretBox) -> None:
    secret = Secret("sk-ключ-0123456789")
    sealed = before.seal(secret, "keys/1")

    assert re.fullmatch(r"v1\.[^.]+\.[A-Za-z0-9_=-]+", sealed)
    assert before.open(sealed, "keys/1") == after.open(sealed, "keys/1") == secret
    assert (before.is_current(sealed), after.is_current(sealed)) == (True, False)
    for box in (before, after):
        with pytest.raises(SecretUnreadable, match="keys/2") as caught:
            box.open(sealed, "keys/2")
        assert secret.reveal() not in str(caught.value)


@pytest.mark.parametrize("outcome", ["ok", "error"])
def test_a_sink_takes_a_record_at_once_and_keeps_its_order(outcome: str) -> None:
    reading, writing = os.pipe()
    output = BoundedOutput(writing)
    log, remembering = LogUsageSink(output, "json"), RememberingSink()
    sinks: list[UsageSink] = [log, remembering]

    for sink in sinks:
        for number in range(3):
            sink.record(a_request_record(f"req_{number}", outcome=outcome))
    output.close()
    os.close(writing)
    with os.fdopen(reading) as lines:
        written = re.findall(r'"request_id":"(\w+)"', lines.read())

    assert written == [record.request_id for record in remembering.records] == ["req_0", "req_1", "req_2"]
