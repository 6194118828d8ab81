"""Keys have a shape that can be checked offline."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.keys import ADMIN_TOKEN_PREFIX, VIRTUAL_KEY_PREFIX, generate_key, well_formed


@pytest.mark.parametrize("prefix", [VIRTUAL_KEY_PREFIX, ADMIN_TOKEN_PREFIX])
def test_a_generated_key_has_the_contracts_shape(prefix: str) -> None:
    """P-21 in the contract's format: prefix, 32 base62 characters, 6 of checksum."""
    key = generate_key(prefix).reveal()

    assert key.startswith(prefix)
    assert len(key) == len(prefix) + 38
    assert key.removeprefix(prefix).isalnum()
    assert well_formed(key, prefix)


@given(st.integers(min_value=0, max_value=44), st.characters(codec="ascii", categories=["L", "N"]))
def test_a_key_with_one_other_character_is_not_well_formed(place: int, character: str) -> None:
    key = generate_key(VIRTUAL_KEY_PREFIX).reveal()
    changed = key[:place] + character + key[place + 1 :]
    assert well_formed(changed, VIRTUAL_KEY_PREFIX) is (changed == key)


@given(st.text(max_size=80))
def test_any_text_is_answered_without_an_error(text: str) -> None:
    assert well_formed(text, VIRTUAL_KEY_PREFIX) in {True, False}
