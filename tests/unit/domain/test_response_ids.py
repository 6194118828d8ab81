"""Response ids carry the provider that keeps the response, whatever both are called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.response_ids import KeptResponse, kept_id, read_kept_id


@given(st.text(min_size=1), st.text(min_size=1))
def test_what_goes_in_comes_out(provider_id: str, upstream_id: str) -> None:
    assert read_kept_id(kept_id(provider_id, upstream_id)) == KeptResponse(provider_id, upstream_id)


@pytest.mark.parametrize(
    "response_id", ["", "resp_", "resp_1", "resp_omg_", "resp_omg__x", "resp_omg_me_", "resp_omg_1_x"]
)
def test_other_ids_name_nobody(response_id: str) -> None:
    assert read_kept_id(response_id) is None


@pytest.mark.parametrize("upstream_id", ["resp_1", "resp-2", "x_y-z"])
def test_an_id_says_only_to_its_owner_that_it_is_theirs(upstream_id: str) -> None:
    kept = read_kept_id(kept_id("alpha", upstream_id, b"mine"))

    assert kept is not None
    assert (kept.provider_id, kept.upstream_id) == ("alpha", upstream_id)
    assert kept.is_sealed_with(b"mine")
    assert not kept.is_sealed_with(b"yours")


def test_a_seal_is_of_one_response_at_one_provider() -> None:
    kept = read_kept_id(kept_id("alpha", "resp_1", b"mine"))

    assert kept is not None
    assert not kept._replace(upstream_id="resp_2").is_sealed_with(b"mine")
    assert not kept._replace(provider_id="beta").is_sealed_with(b"mine")
    assert not kept._replace(seal="").is_sealed_with(b"mine")
