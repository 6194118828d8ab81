"""Azure OpenAI at the wire: both kinds of address, both kinds of credential, its filters and its refusals."""

import json
from typing import Any

import httpx
import pytest

from adapters.providers.registry import Registry
from domain.availability import RateLimitWindow
from domain.errors import RequestInvalid, UpstreamFailure
from domain.failover import FailureKind
from domain.ports.providers import Capabilities, ProviderCall
from domain.providers import ModelPlace, ProviderSettings
from domain.secrets import Secret
from domain.timeouts import Timeouts
from tests.builders import a_chat_payload, a_provider, a_provider_key
from tests.contracts.providers.test_chat_providers import ANSWER, Progress
from tests.unit.adapters.providers.calls import a_payload, read

KEY = a_provider_key(secret=Secret("0123456789abcdef0123456789abcdef"))
TOKEN = a_provider_key("pk_2", secret=Secret("eyJ0eXAiOiJKV1Qi.eyJhdWQiOiJ4In0.c2lnbmF0dXJl"))
SITE = "https://res.openai.azure.com"
SAFE = {"hate": {"filtered": False, "severity": "safe"}}


class Azure:
    """A resource that answers everything with one response, and remembers what it was asked."""

    def __init__(
        self, answer: httpx.Response | None = None, *, base_url: str = SITE, owner: str = "database", **settings: Any
    ) -> None:
        self.asked: list[httpx.Request] = []
        self._answer = answer or httpx.Response(200, json=ANSWER)
        provider = a_provider(
            "azure", kind="azure", base_url=base_url, owner=owner, settings=ProviderSettings(**settings)
        )
        registry = Registry(
            lambda provider, timeouts: httpx.MockTransport(self._respond), {"OPENAI_API_VERSION": "2024-10-21"}
        )
        self.able: Capabilities = registry.build(provider, Timeouts()).capabilities

    async def chat(self, model: str = "gpt-5", key: Any = KEY, **fields: Any) -> bytes:
        assert self.able.chat is not None
        call = ProviderCall(a_chat_payload(**fields), model, key, False, Progress())
        return (await self.able.chat.complete(call)).body

    @property
    def url(self) -> str:
        return str(self.asked[-1].url)

    def _respond(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self._answer


@pytest.mark.parametrize(
    ("base_url", "version", "url"),
    [
        (SITE, None, f"{SITE}/openai/v1/chat/completions"),
        (f"{SITE}/", None, f"{SITE}/openai/v1/chat/completions"),
        (f"{SITE}/openai", None, f"{SITE}/openai/v1/chat/completions"),
        (f"{SITE}/openai/v1/", None, f"{SITE}/openai/v1/chat/completions"),
        (f"{SITE}/openai/v1", "preview", f"{SITE}/openai/v1/chat/completions?api-version=preview"),
        (f"{SITE}/openai/v1", "v1", f"{SITE}/openai/v1/chat/completions"),
        (SITE, "2024-10-21", f"{SITE}/openai/deployments/gpt-5/chat/completions?api-version=2024-10-21"),
        (
            f"{SITE}/openai/deployments/other/chat/completions",
            "2025-04-01-preview",
            f"{SITE}/openai/deployments/gpt-5/chat/completions?api-version=2025-04-01-preview",
        ),
        (
            "https://res.services.ai.azure.com/api/projects/p1",
            None,
            "https://res.services.ai.azure.com/openai/v1/chat/completions",
        ),
        ("https://gate.example/azure/openai", None, "https://gate.example/azure/openai/v1/chat/completions"),
    ],
)
async def test_any_address_of_a_resource_leads_to_its_chat(base_url: str, version: str | None, url: str) -> None:
    azure = Azure(base_url=base_url, api_version=version)

    await azure.chat()

    assert azure.url == url


async def test_a_provider_from_the_environment_takes_the_version_azures_clients_take() -> None:
    azure = Azure(owner="environment")

    await azure.chat()

    assert azure.url.endswith("/openai/deployments/gpt-5/chat/completions?api-version=2024-10-21")


@pytest.mark.parametrize("version", [None, "2024-10-21"])
async def test_a_model_is_called_by_its_deployments_name(version: str | None) -> None:
    azure = Azure(api_version=version, model_places={"gpt-5": ModelPlace(deployment="prod gpt")})

    await azure.chat()

    assert json.loads(azure.asked[-1].content)["model"] == "prod gpt"
    assert ("/deployments/prod%20gpt/" in azure.url) is (version is not None)


@pytest.mark.parametrize("model", ["..", "../../other", "a/b", "a?b=c", "a#b"])
async def test_a_model_name_never_leads_out_of_its_path(model: str) -> None:
    """S-07: a client names models, not places."""
    azure = Azure(api_version="2024-10-21")

    if model == "..":
        with pytest.raises(UpstreamFailure):
            await azure.chat(model)
        return
    await azure.chat(model)

    path = azure.asked[-1].url.raw_path.decode()
    assert path.startswith("/openai/deployments/")
    assert path.count("/") == 5
    assert path.endswith("/chat/completions?api-version=2024-10-21")


async def test_a_key_and_a_token_go_in_their_own_headers() -> None:
    """S-24."""
    azure = Azure()

    await azure.chat(key=KEY)
    await azure.chat(key=TOKEN)

    by_key, by_token = (request.headers for request in azure.asked)
    assert by_key["api-key"] == KEY.secret.reveal()
    assert "authorization" not in by_key
    assert by_token["authorization"] == f"Bearer {TOKEN.secret.reveal()}"
    assert "api-key" not in by_token


@pytest.mark.parametrize(
    ("capability", "fields", "path", "answer"),
    [
        ("completions", {"prompt": "hi"}, "completions", {"choices": [{"index": 0, "text": "x"}]}),
        ("embeddings", {"input": "hi"}, "embeddings", {"data": [{"embedding": [0.5], "index": 0}]}),
        ("images", {"prompt": "a cat"}, "images/generations", {"created": 1, "data": [{"b64_json": "eA=="}]}),
    ],
)
async def test_every_other_endpoint_is_at_the_deployment_too(
    capability: str, fields: dict[str, Any], path: str, answer: dict[str, Any]
) -> None:
    azure = Azure(httpx.Response(200, json=answer), api_version="2024-10-21")

    await getattr(azure.able, capability).complete(
        ProviderCall(a_payload(capability, **fields), "dep", KEY, False, Progress())
    )

    assert azure.url == f"{SITE}/openai/deployments/dep/{path}?api-version=2024-10-21"


async def test_filters_pass_and_a_first_chunk_without_a_choice_does_no_harm() -> None:
    chunks: list[dict[str, Any]] = [
        {"choices": [], "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": SAFE}]},
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "content_filter_results": {}}]},
        {"choices": [{"index": 0, "delta": {"content": "hi"}, "content_filter_results": SAFE}]},
        {"choices": [{"index": 0, "content_filter_offsets": {"check_offset": 1}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ]
    head = {"object": "chat.completion.chunk", "created": 1}
    events = [
        {"id": "" if place == 0 else "c1", "model": "" if place == 0 else "gpt-5-2026", **head, **chunk}
        for place, chunk in enumerate(chunks)
    ]
    body = b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events) + b"data: [DONE]\n\n"
    azure = Azure(httpx.Response(200, content=body, headers={"content-type": "text/event-stream"}))
    assert azure.able.chat is not None

    stream = await azure.able.chat.stream(ProviderCall(a_chat_payload(stream=True), "gpt-5", KEY, False, Progress()))
    received = await read(stream)

    assert "".join(c["delta"].get("content") or "" for e in received for c in e["choices"] if c.get("delta")) == "hi"
    assert received[-1]["model"] == "gpt-5-2026"
    assert {(event["id"], event["model"]) for event in received if event["choices"]} == {("c1", "gpt-5-2026")}


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (401, {"error": {"code": "401", "message": "Access denied"}}, FailureKind.INVALID_CREDENTIAL, "Access denied"),
        (401, {"statusCode": 401, "message": "Unauthorized."}, FailureKind.INVALID_CREDENTIAL, "Unauthorized."),
        (404, {"error": {"code": "DeploymentNotFound", "message": "none"}}, FailureKind.MODEL_ABSENT, "none"),
        (
            400,
            {
                "error": {
                    "message": "The response was filtered",
                    "type": None,
                    "param": "prompt",
                    "code": "content_filter",
                    "status": 400,
                    "innererror": {"code": "ResponsibleAIPolicyViolation"},
                }
            },
            FailureKind.CONTENT_POLICY,
            "The response was filtered",
        ),
        (429, {"error": {"code": "429", "message": "Please retry after 26 seconds."}}, FailureKind.RATE_LIMITED, ""),
        (503, {"error": {"message": "busy"}}, FailureKind.OVERLOADED, "busy"),
    ],
)
async def test_a_refusal_has_its_kind(status: int, body: dict[str, Any], kind: FailureKind, message: str) -> None:
    headers = {"retry-after": "26", "retry-after-ms": "26000"} if status == 429 else {}
    azure = Azure(httpx.Response(status, json=body, headers=headers))

    with pytest.raises(UpstreamFailure) as caught:
        await azure.chat()

    assert caught.value.kind is kind
    assert message in caught.value.message
    assert caught.value.retry_after_seconds == (26 if status == 429 else None)


@pytest.mark.parametrize(
    ("remaining", "reset", "expected"), [("12", "26", (12, 26.0)), ("-1", "-1", None), ("0", "10", (0, 10.0))]
)
async def test_limits_are_whole_seconds_and_a_negative_one_is_unknown(
    remaining: str, reset: str, expected: tuple[int, float] | None
) -> None:
    headers = {"x-ratelimit-remaining-requests": remaining, "x-ratelimit-reset-requests": reset}
    azure = Azure(httpx.Response(200, json=ANSWER, headers=headers))
    assert azure.able.chat is not None

    answer = await azure.able.chat.complete(ProviderCall(a_chat_payload(), "m", KEY, False, Progress()))

    if expected is None:
        assert answer.limits == ()
    else:
        assert answer.limits == (RateLimitWindow("requests", "minute", None, *expected, by_model=True),)


async def test_an_old_version_is_not_asked_for_usage_in_streams() -> None:
    body = b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    answer = httpx.Response(200, content=body, headers={"content-type": "text/event-stream"})
    old = Azure(answer, api_version="2024-06-01")
    assert old.able.chat is not None

    await read(await old.able.chat.stream(ProviderCall(a_chat_payload(stream=True), "m", KEY, False, Progress())))

    assert "stream_options" not in json.loads(old.asked[-1].content)


async def test_declared_deployments_are_the_list_of_models() -> None:
    azure = Azure(model_places={"gpt-5": ModelPlace(deployment="prod")}, models=("embed",))
    assert azure.able.models is not None

    listed = await azure.able.models.list_models(KEY)

    assert [offering.model for offering in listed] == ["gpt-5", "embed"]
    assert azure.asked == []


def test_without_an_address_it_says_which_variable_is_missing() -> None:
    provider = a_provider("azure", kind="azure", base_url=None)
    registry = Registry(lambda provider, timeouts: httpx.MockTransport(lambda _: httpx.Response(500)), {})

    with pytest.raises(RequestInvalid, match="set AZURE_OPENAI_ENDPOINT"):
        registry.check(provider)
