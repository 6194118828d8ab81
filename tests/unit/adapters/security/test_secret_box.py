"""A stored secret opens only where it was written (P-20)."""

import base64

import pytest

from adapters.security.secret_box import AesGcmSecretBox, KeyRing
from domain.ports.security import SecretUnreadable
from domain.secrets import Secret

ROW = "provider_keys/secret/pk_1/alpha"


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing.generate()


@pytest.fixture
def box(ring: KeyRing) -> AesGcmSecretBox:
    return AesGcmSecretBox(ring)


@pytest.mark.parametrize("value", ["sk-upstream-1234567890", "", "ключ-鍵-🔑", "x" * 10_000])
def test_opens_what_it_sealed(box: AesGcmSecretBox, value: str) -> None:
    assert box.open(box.seal(Secret(value), ROW), ROW).reveal() == value


def test_names_format_and_key_and_shows_nothing_of_the_secret(box: AesGcmSecretBox, ring: KeyRing) -> None:
    sealed = box.seal(Secret("sk-upstream-1234567890"), ROW)
    version, kid, payload = sealed.split(".")
    assert (version, kid) == ("v1", ring.kids[0])
    assert b"upstream" not in base64.urlsafe_b64decode(payload + "==")


def test_sealing_twice_differs(box: AesGcmSecretBox) -> None:
    assert box.seal(Secret("same"), ROW) != box.seal(Secret("same"), ROW)


def test_another_rows_ciphertext_does_not_open(box: AesGcmSecretBox) -> None:
    sealed = box.seal(Secret("sk-upstream"), ROW)
    with pytest.raises(SecretUnreadable, match="provider_keys/secret/pk_2/alpha does not open"):
        box.open(sealed, "provider_keys/secret/pk_2/alpha")


def test_no_altered_character_goes_unnoticed(box: AesGcmSecretBox) -> None:
    sealed = box.seal(Secret("s"), ROW)
    canonical = {sealed}
    for place, character in enumerate(sealed):
        altered = sealed[:place] + ("A" if character != "A" else "B") + sealed[place + 1 :]
        if _bytes(altered) == _bytes(sealed):
            canonical.add(altered)  # unused bits of the last base64 character
            continue
        with pytest.raises(SecretUnreadable):
            box.open(altered, ROW)
    assert len(canonical) <= 2


@pytest.mark.parametrize(
    "sealed", ["", "v1", "v1.k1", "v1.KID.!!!", "v1.KID.", "v1.KID.AAAA", "v2.KID.AAAA", "a.b.c.d"]
)
def test_damage_is_told_and_never_a_crash(box: AesGcmSecretBox, ring: KeyRing, sealed: str) -> None:
    with pytest.raises(SecretUnreadable, match="provider_keys/secret/pk_1/alpha"):
        box.open(sealed.replace("KID", ring.kids[0]), ROW)


def test_an_unknown_master_key_is_named(box: AesGcmSecretBox) -> None:
    other = KeyRing.generate()
    with pytest.raises(SecretUnreadable, match=f"'{other.kids[0]}', which is not among the master keys"):
        box.open(AesGcmSecretBox(other).seal(Secret("s"), ROW), ROW)


def test_the_same_id_with_another_key_does_not_open(ring: KeyRing, box: AesGcmSecretBox) -> None:
    impostor = AesGcmSecretBox(KeyRing({ring.kids[0]: b"\x07" * 32}))
    with pytest.raises(SecretUnreadable, match="the key of that id is another one"):
        box.open(impostor.seal(Secret("s"), ROW), ROW)


def test_after_rotation_old_secrets_open_and_are_not_current(ring: KeyRing, box: AesGcmSecretBox) -> None:
    old = box.seal(Secret("sk-upstream"), ROW)
    rotated = AesGcmSecretBox(ring.rotated())

    assert rotated.open(old, ROW).reveal() == "sk-upstream"
    assert box.is_current(old)
    assert not rotated.is_current(old)
    assert rotated.is_current(rotated.seal(Secret("s"), ROW))


def _bytes(sealed: str) -> tuple[str, bytes]:
    head, _, payload = sealed.rpartition(".")
    try:
        return head, base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    except ValueError:
        return head, payload.encode()
