"""Provider ids can stand in a URL and never shadow a route."""

import pytest

from domain.errors import RequestInvalid
from domain.failover import MAX_UPSTREAM_CALLS, REACTIONS, FailureKind
from domain.providers import RESERVED_IDS, check_provider_id


@pytest.mark.parametrize("provider_id", ["a", "0", "cerebras", "my-vllm_2", "a" * 63])
def test_good_ids_are_kept(provider_id: str) -> None:
    assert check_provider_id(provider_id) == provider_id


@pytest.mark.parametrize(
    "provider_id", ["", "-a", "_a", "A", "a b", "a/b", "ä", "a.b", "a" * 64, *sorted(RESERVED_IDS)]
)
def test_bad_and_reserved_ids_are_refused(provider_id: str) -> None:
    with pytest.raises(RequestInvalid) as caught:
        check_provider_id(provider_id)
    assert caught.value.param == "id"


def test_every_kind_of_failure_has_its_row() -> None:
    assert set(REACTIONS) == set(FailureKind)
    assert MAX_UPSTREAM_CALLS == 3
