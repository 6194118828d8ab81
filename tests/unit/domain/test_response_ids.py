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
