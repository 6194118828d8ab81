"""Digests of client keys need the pepper (P-21)."""

import hashlib
import hmac

from adapters.security.key_ring import KeyRing
from adapters.security.secret_box import HmacKeyHasher


def test_the_digest_is_a_keyed_one_of_32_bytes() -> None:
    ring = KeyRing.generate()
    digest = HmacKeyHasher(ring).digest("sk-omg-abc")
    pepper = ring.derive("key-pepper")[ring.kids[0]]
    assert digest == hmac.new(pepper, b"sk-omg-abc", hashlib.sha256).digest()
    assert len(digest) == 32


def test_the_same_key_has_another_digest_under_another_ring() -> None:
    assert HmacKeyHasher(KeyRing.generate()).digest("k") != HmacKeyHasher(KeyRing.generate()).digest("k")


def test_after_rotation_the_old_digest_is_still_accepted_and_the_new_one_comes_first() -> None:
    ring = KeyRing.generate()
    before, after = HmacKeyHasher(ring), HmacKeyHasher(ring.rotated())
    assert after.digests("k") == (after.digest("k"), before.digest("k"))
    assert after.digest("k") != before.digest("k")
