"""What several of these tests share because it is slow to start."""

from collections.abc import Iterator

import pytest

from tests.contracts.persistence.postgres import PostgresServer


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    server = PostgresServer(tmp_path_factory.mktemp("postgres"))
    yield server
    server.close()
