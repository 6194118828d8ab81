"""Master keys are refused unless they are random, and the key file is made once (S-11)."""

import base64
import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adapters.security.key_ring import (
    KeyRing,
    MasterKeyInvalid,
    load_or_create_key_file,
    open_key_ring,
    open_key_ring_to_rotate,
    read_key_file,
)


def encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()


def test_reads_several_keys_newest_first() -> None:
    newer, older = os.urandom(32), os.urandom(32)
    ring = KeyRing.parse(f"k2:{encoded(newer)}, k1:{encoded(older)}\n")
    assert ring.kids == ("k2", "k1")


def test_reads_base64url_without_complaint() -> None:
    text = base64.urlsafe_b64encode(bytes.fromhex("fbff" + os.urandom(30).hex())).decode()
    assert KeyRing.parse(f"k1:{text}").kids == ("k1",)


@pytest.mark.parametrize(
    ("text", "received"),
    [
        ("", "entry 1 is not 'kid:base64'"),
        pytest.param(encoded(os.urandom(32)), "entry 1 is not 'kid:base64'", id="no kid"),
        pytest.param("k 1:" + encoded(os.urandom(32)), "entry 1 is not 'kid:base64'", id="no kid"),
        pytest.param("k1:" + encoded(os.urandom(32)) + ",", "entry 2 is not 'kid:base64'", id="an empty entry"),
        ("k1:not base64!", "the key 'k1' is not base64"),
        pytest.param("k1:" + encoded(os.urandom(16)), "has 16 bytes and needs 32", id="16 bytes"),
        pytest.param("k1:" + encoded(os.urandom(33)), "has 33 bytes and needs 32", id="33 bytes"),
        ("k1:" + encoded(b"\0" * 32), "is an example or text"),
        ("k1:" + encoded(bytes(range(32))), "is an example or text"),
        ("k1:" + encoded(bytes(range(100, 132))), "is an example or text"),
        ("k1:" + encoded(b"changeme-changeme-changeme-12345"), "is an example or text"),
        ("k1:" + encoded(b"0123456789abcdefghijklmnopqrstuv"), "is an example or text"),
    ],
)
def test_a_malformed_short_or_guessable_key_is_refused_naming_the_variable(text: str, received: str) -> None:
    with pytest.raises(MasterKeyInvalid, match=re.escape(received)) as caught:
        KeyRing.parse(text)
    assert str(caught.value).startswith("OMG_MASTER_KEYS: ")


def test_an_error_never_shows_the_key() -> None:
    key = encoded(b"s3cret-but-much-too-short")
    with pytest.raises(MasterKeyInvalid) as caught:
        KeyRing.parse(f"k1:{key}")
    assert key not in str(caught.value)


def test_the_same_id_or_the_same_key_twice_is_refused() -> None:
    key = encoded(os.urandom(32))
    with pytest.raises(MasterKeyInvalid, match="'k1' occurs twice"):
        KeyRing.parse(f"k1:{key},k1:{encoded(os.urandom(32))}")
    with pytest.raises(MasterKeyInvalid, match="two key ids have the same key"):
        KeyRing.parse(f"k1:{key},k2:{key}")


def test_each_purpose_and_each_master_key_has_its_own_derived_key() -> None:
    ring = KeyRing.generate().rotated()
    derived = [*ring.derive("column-encryption").values(), *ring.derive("key-pepper").values()]
    assert len(set(derived)) == 4
    assert {len(key) for key in derived} == {32}


def test_a_derived_key_is_the_same_in_every_release() -> None:
    """Another derivation would make every stored secret unreadable."""
    ring = KeyRing({"k1": bytes(range(32))})
    assert (
        ring.derive("column-encryption")["k1"].hex()
        == "ce3c67184f5f98bd6ba0748cb0b0a0f11d50000e6b8b06236dacf59eedfe6ee5"
    )
    assert ring.derive("key-pepper")["k1"].hex() == "4d30e3817f41b75c72daf65380ad5673385fa62a9b22565ad5bc7256b7f37557"


def test_a_ring_does_not_show_its_keys() -> None:
    ring = KeyRing.generate()
    assert repr(ring) == f"KeyRing({ring.kids[0]})"


def test_the_first_start_makes_a_private_key_file_and_the_next_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "master.key"
    made, is_new = load_or_create_key_file(path)
    again, is_new_again = load_or_create_key_file(path)

    assert (is_new, is_new_again) == (True, False)
    assert made.reveal() == again.reveal()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["master.key"]


def test_starts_at_the_same_time_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(lambda _: load_or_create_key_file(tmp_path / "master.key"), range(8)))
    assert len({ring.reveal() for ring, _ in rings}) == 1
    assert [is_new for _, is_new in rings].count(True) == 1


def test_a_damaged_key_file_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(MasterKeyInvalid, match=r"master\.key: this is not a master key file"):
        load_or_create_key_file(path)
    path.write_text("k1:c2hvcnQ=")
    with pytest.raises(MasterKeyInvalid, match=r"master\.key: the key 'k1' has 5 bytes"):
        read_key_file(path)
    assert path.read_text() == "k1:c2hvcnQ="


def test_a_key_file_that_is_to_be_rotated_gets_a_new_key_before_the_old_ones(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    before = open_key_ring("", path)

    ring = open_key_ring_to_rotate("", path)

    assert ring.kids[1:] == before.kids
    assert read_key_file(path).kids == ring.kids
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["master.key"]


def test_keys_of_a_setting_are_rotated_by_whoever_set_them(tmp_path: Path) -> None:
    given = KeyRing.generate()

    ring = open_key_ring_to_rotate(given.reveal(), tmp_path / "master.key")

    assert ring.kids == given.kids
    assert list(tmp_path.iterdir()) == []
