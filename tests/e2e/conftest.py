"""Processes shared by the end-to-end tests, and upstreams that belong to one test alone."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.processes import Gateway, Simulator

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """One simulated provider process for all tests; each test uses personas of its own."""
    with Simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway for all tests that need no settings of their own."""
    with Gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running


AddUpstream = Callable[..., str]


@pytest.fixture
def add_upstream(gateway: Gateway, simulator: Simulator) -> Iterator[AddUpstream]:
    """Make a provider of the shared gateway, backed by a persona of the same name; gone after the test.

    Call it with the persona's script (`behaviours=…`, `models=…`) and the provider's fields (`settings=…`).
    """
    added: list[str] = []

    def add(name: str = "up", *, behaviours: Any = None, models: Any = None, **fields: Any) -> str:
        provider_id = f"{name}{next(_numbers)}"
        simulator.script(provider_id, behaviours=behaviours or {}, models=models)
        gateway.add_provider(provider_id, simulator.base_url(provider_id), **fields)
        added.append(provider_id)
        return provider_id

    yield add
    for provider_id in added:
        assert gateway.admin.delete(f"/providers/{provider_id}").status_code == 204


@pytest.fixture
def upstream(add_upstream: AddUpstream) -> str:
    """One provider that answers by model name."""
    return add_upstream()
