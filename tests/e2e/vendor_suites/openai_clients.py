"""The clients that openai-python's own tests ask for, pointed at the gateway: copied beside them as their conftest."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest
from openai import AsyncOpenAI, OpenAI

pytest_plugins = ["tests.respx2.plugin"]  # the vendor's own, beside the tests

BASE_URL = os.environ["TEST_API_BASE_URL"]
KEY = os.environ["TEST_API_KEY"]


@pytest.fixture(scope="session")
def client(request: pytest.FixtureRequest) -> Iterator[OpenAI]:
    """Asked for as loose or strict: what comes back is held against the SDK's types or only parsed."""
    strict = getattr(request, "param", True)
    with OpenAI(
        base_url=BASE_URL, api_key=KEY, admin_api_key=KEY, _strict_response_validation=strict, max_retries=0
    ) as made:
        yield made


@pytest.fixture(scope="session")
async def async_client(request: pytest.FixtureRequest) -> AsyncIterator[AsyncOpenAI]:
    """The same without blocking."""
    strict = getattr(request, "param", True)
    async with AsyncOpenAI(
        base_url=BASE_URL, api_key=KEY, admin_api_key=KEY, _strict_response_validation=strict, max_retries=0
    ) as made:
        yield made
