"""Every cell of every fidelity table says what happens: the tables drive the code, the docs and the admin API.

A strict call shows what is dropped without an answer: it is refused, by name, before anything is sent.
"""

import json
from collections.abc import Iterator
from typing import Any, cast

import httpx
import pytest

from adapters.providers.kind import Kind
from adapters.providers.kinds import KINDS
from adapters.providers.registry import Registry
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.fidelity import Cell
from domain.keys import ProviderKey
from domain.ports.providers import Answering, Capabilities, ProviderCall, Streaming
from domain.providers import ProviderSettings
from domain.secrets import Secret
from domain.timeouts import Timeouts
from tests.builders import a_provider, a_provider_key
from tests.contracts.providers.parameters import NEEDS, REQUESTS, compared, parameters, payload
from tests.contracts.providers.test_chat_providers import Progress

_CAPABILITIES = {
    "chat.completions": "chat",
    "images.generations": "images",
    "images.edits": "image_edits",
    "audio.speech": "speech",
    "responses.input_tokens": "response_counts",
}
_SECRETS = {"bedrock": "bedrock-api-key-0123456789", "vertex": "AIza-express-0123456789"}


class Sent(Exception):
    """A request reached the wire."""

    def __init__(self, body: bytes) -> None:
        self.body = body


def tables() -> Iterator[Any]:
    for kind in KINDS:
        for endpoint in kind.load().fidelity(kind.unknown):
            yield pytest.param(kind, endpoint, id=f"{kind.id}-{endpoint}")


def cells() -> Iterator[Any]:
    for kind in KINDS:
        for endpoint, table in kind.load().fidelity(kind.unknown).items():
            if endpoint in REQUESTS and endpoint in kind.endpoints:
                for name in compared(endpoint):
                    if name in table:
                        yield pytest.param(kind, endpoint, name, table[name], id=f"{kind.id}-{endpoint}-{name}")


@pytest.mark.parametrize(("kind", "endpoint"), [*tables()])
def test_every_parameter_has_a_cell(kind: Kind, endpoint: str) -> None:
    if endpoint not in REQUESTS:
        pytest.skip("no JSON request")
    assert {*parameters(endpoint)} <= {*kind.load().fidelity(kind.unknown)[endpoint]}


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.id) for kind in KINDS])
def test_every_endpoint_of_a_kind_has_a_table(kind: Kind) -> None:
    tabled = {endpoint for entry in (kind.unknown, *kind.entries) for endpoint in kind.load().fidelity(entry)}
    assert {*kind.endpoints} - {"models", "messages.count_tokens"} <= tabled


@pytest.mark.parametrize(("kind", "endpoint", "name", "cell"), [*cells()])
async def test_a_cell_says_what_happens(kind: Kind, endpoint: str, name: str, cell: Cell) -> None:
    needed = tuple(NEEDS.get(name, {}))
    if cell.support == "refused" and kind.id not in {"openai", "simulated"}:
        failure = await refused(kind, endpoint, *needed, name)
        assert failure.param in {name, *needed}
        return
    without = await sent(kind, endpoint, *needed)
    if cell.support == "dropped":
        assert await sent(kind, endpoint, *needed, name) == without
        failure = await refused(kind, endpoint, *needed, name, strict=True)
        assert failure.param in {name, *needed}
        return
    if cell.support == "mapped" and not cell.to:
        return
    assert await sent(kind, endpoint, *needed, name) != without


async def refused(kind: Kind, endpoint: str, *names: str, strict: bool = False) -> UpstreamFailure:
    with pytest.raises(UpstreamFailure) as caught:
        await call(kind, endpoint, names, strict=strict)
    assert caught.value.kind is FailureKind.UNSUPPORTED
    return caught.value


async def sent(kind: Kind, endpoint: str, *names: str) -> object:
    """The body of the request that goes out; JSON is compared as JSON."""
    with pytest.raises(Sent) as caught:
        await call(kind, endpoint, names)
    body = caught.value.body
    return json.loads(body) if body.startswith(b"{") else body


async def call(kind: Kind, endpoint: str, names: tuple[str, ...], *, strict: bool = False) -> None:
    capability = getattr(capabilities(kind), _CAPABILITIES.get(endpoint, endpoint))
    assert capability is not None
    request: ProviderCall[Any] = ProviderCall(
        payload(endpoint, *names), model(kind), key(kind), False, Progress(), strict
    )
    if endpoint == "audio.speech":
        await cast(Streaming[Any], capability).stream(request)
    else:
        await cast(Answering[Any], capability).complete(request)


def capabilities(kind: Kind) -> Capabilities:
    def answer(request: httpx.Request) -> httpx.Response:
        raise Sent(request.read())

    registry = Registry(lambda provider, timeouts: httpx.MockTransport(answer), {"AWS_REGION": "eu-west-1"})
    settings = ProviderSettings(project="p", location="eu-west-1" if kind.id == "bedrock" else "europe-west4")
    provider = a_provider("own", kind=kind.id, base_url="https://own.example", settings=settings)
    return registry.build(provider, Timeouts()).capabilities


def model(kind: Kind) -> str:
    """One that every parameter is for: known models of some, by name, take fewer."""
    takes_all = {
        "anthropic": "some-model",
        "bedrock": "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "cohere": "some-model",
        "vertex": "gemini-2.5-flash",
    }
    return takes_all.get(kind.id) or kind.unknown.preset.default_model or "some-model"


def key(kind: Kind) -> ProviderKey:
    return a_provider_key(secret=Secret(_SECRETS.get(kind.id, "sk-canary-0123456789")))
