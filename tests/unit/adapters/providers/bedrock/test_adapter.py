"""Bedrock at the wire: what goes where, with which credential, and what comes of the answers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from adapters.providers.registry import Registry
from domain.embeddings import EmbeddingRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.images import ImageRequest
from domain.inference import InferenceRequest
from domain.keys import ProviderKey
from domain.payload import Payload
from domain.ports.providers import Capabilities, ProviderCall
from domain.providers import ProviderSettings
from domain.secrets import Secret
from domain.timeouts import Timeouts
from domain.usage import TokenUsage
from tests.builders import a_chat_payload, a_provider, a_provider_key
from tests.contracts.providers.test_chat_providers import Pieces, Progress

WIRE = Path(__file__).parents[4] / "wire" / "bedrock"
KEY = a_provider_key(secret=Secret("bedrock-api-key-0123456789"))
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
ANSWER = {
    "output": {"message": {"role": "assistant", "content": [{"text": "hi"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 3, "outputTokens": 1, "totalTokens": 4},
}
FRAMES = {"content-type": "application/vnd.amazon.eventstream"}
DENIED = httpx.Response(403, json={"message": "no"}, headers={"x-amzn-errortype": "AccessDeniedException"})

Wire = Callable[[httpx.Request], httpx.Response]


def bedrock(wire: Wire, variables: dict[str, str] | None = None, **settings: Any) -> Capabilities:
    registry = Registry(lambda provider, timeouts: httpx.MockTransport(wire), variables or {})
    provider = a_provider("bedrock", kind="bedrock", base_url=None, settings=ProviderSettings(**settings))
    return registry.build(provider, Timeouts()).capabilities


def call(payload: Payload[Any], model: str = CLAUDE, key: ProviderKey | None = KEY) -> ProviderCall[Any]:
    return ProviderCall(payload, model, key, True, Progress())


def a_payload(kind: type[InferenceRequest], **fields: Any) -> Payload[Any]:
    body = msgspec.json.encode({"model": "m"} | fields)
    return Payload(msgspec.json.decode(body, type=kind), msgspec.json.decode(body, type=dict[str, msgspec.Raw]))


async def test_a_chat_goes_to_converse_with_the_key_as_a_bearer() -> None:
    """S-24."""
    seen: list[httpx.Request] = []

    def wire(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=ANSWER)

    chat = bedrock(wire, location="eu-west-1").chat
    assert chat is not None
    answer = await chat.complete(call(a_chat_payload()))

    assert json.loads(answer.body)["choices"][0]["message"]["content"] == "hi"
    assert answer.usage == TokenUsage(input_tokens=3, output_tokens=1)
    assert seen[0].url.host == "bedrock-runtime.eu-west-1.amazonaws.com"
    assert seen[0].url.raw_path.endswith(b"-v1%3A0/converse")
    assert {*seen[0].headers} <= {"host", "content-type", "user-agent", "authorization", "content-length"}
    assert seen[0].headers["authorization"] == f"Bearer {KEY.secret.reveal()}"


async def test_a_streamed_chat_is_read_from_frames() -> None:
    frames = (WIRE / "converse_stream_text.bin").read_bytes()
    chat = bedrock(lambda _: httpx.Response(200, stream=Pieces(frames[:100], frames[100:]), headers=FRAMES)).chat
    assert chat is not None

    stream = await chat.stream(call(a_chat_payload()))
    received = b"".join([block async for block in stream])
    await stream.aclose()

    assert b'"content":"Hel"' in received
    assert stream.usage == TokenUsage(input_tokens=5, output_tokens=2)
    assert stream.ending == b"data: [DONE]\n\n"


async def test_without_a_key_the_environments_access_key_signs() -> None:
    seen: list[httpx.Request] = []

    def wire(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=ANSWER)

    variables = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1"}
    chat = bedrock(wire, variables).chat
    assert chat is not None
    await chat.complete(call(a_chat_payload(), key=None))

    assert "/eu-west-1/bedrock/aws4_request" in seen[0].headers["authorization"]


async def test_a_refusal_is_bedrocks() -> None:
    body = {"message": "Invocation with on-demand throughput isn't supported"}
    chat = bedrock(lambda _: httpx.Response(400, json=body, headers={"x-amzn-errortype": "ValidationException"})).chat
    assert chat is not None

    with pytest.raises(UpstreamFailure) as caught:
        await chat.stream(call(a_chat_payload()))

    assert caught.value.kind is FailureKind.MODEL_ABSENT


async def test_texts_are_embedded_side_by_side_and_told_in_order() -> None:
    def wire(request: httpx.Request) -> httpx.Response:
        number = int(json.loads(request.content)["inputText"])
        return httpx.Response(200, json={"embedding": [number], "inputTextTokenCount": 2})

    embeddings = bedrock(wire).embeddings
    assert embeddings is not None
    payload = a_payload(EmbeddingRequest, input=[str(number) for number in range(20)], encoding_format="float")
    answer = await embeddings.complete(call(payload, "amazon.titan-embed-text-v2:0"))

    data = json.loads(answer.body)["data"]
    assert [row["embedding"] for row in data] == [[number] for number in range(20)]
    assert [row["index"] for row in data] == [*range(20)]
    assert answer.usage == TokenUsage(input_tokens=40)


async def test_one_text_that_fails_fails_the_request() -> None:
    def wire(request: httpx.Request) -> httpx.Response:
        if json.loads(request.content)["inputText"] == "3":
            return httpx.Response(429, json={"message": "slow"}, headers={"x-amzn-errortype": "ThrottlingException"})
        return httpx.Response(200, json={"embedding": [1], "inputTextTokenCount": 1})

    embeddings = bedrock(wire).embeddings
    assert embeddings is not None

    with pytest.raises(UpstreamFailure) as caught:
        await embeddings.complete(
            call(a_payload(EmbeddingRequest, input=list("12345")), "amazon.titan-embed-text-v2:0")
        )

    assert caught.value.kind is FailureKind.RATE_LIMITED


async def test_an_image_is_made_by_invoke() -> None:
    seen: list[httpx.Request] = []

    def wire(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"images": ["AA=="], "error": None})

    images = bedrock(wire).images
    assert images is not None
    answer = await images.complete(call(a_payload(ImageRequest, prompt="a cat"), "amazon.nova-canvas-v1:0"))

    assert seen[0].url.raw_path == b"/model/amazon.nova-canvas-v1%3A0/invoke"
    assert json.loads(answer.body)["data"] == [{"b64_json": "AA=="}]


def models_wire(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/foundation-models":
        summaries = [
            {
                "modelId": "amazon.nova-pro-v1:0",
                "providerName": "Amazon",
                "outputModalities": ["TEXT"],
                "inferenceTypesSupported": ["ON_DEMAND"],
            },
            {
                "modelId": "anthropic.claude-sonnet-4-5-20250929-v1:0",
                "providerName": "Anthropic",
                "outputModalities": ["TEXT"],
                "inferenceTypesSupported": ["INFERENCE_PROFILE"],
            },
        ]
        summaries += [
            {"modelId": name, "providerName": "x", "outputModalities": [kind], "inferenceTypesSupported": ["ON_DEMAND"]}
            for name, kind in (
                ("stability.sd3-5-large-v1:0", "IMAGE"),
                ("twelvelabs.marengo-embed-2-7-v1:0", "EMBEDDING"),
            )
        ]
        return httpx.Response(200, json={"modelSummaries": summaries})
    if request.url.params["type"] == "APPLICATION":
        return DENIED
    profile = {
        "inferenceProfileId": CLAUDE,
        "status": "ACTIVE",
        "type": "SYSTEM_DEFINED",
        "models": [
            {"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0"}
        ],
    }
    return httpx.Response(200, json={"inferenceProfileSummaries": [profile]})


async def test_models_on_demand_and_profiles_are_listed() -> None:
    models = bedrock(models_wire).models
    assert models is not None

    listed = await models.list_models(KEY)

    assert [(one.model, one.owned_by, one.capabilities) for one in listed] == [
        ("amazon.nova-pro-v1:0", "Amazon", ("chat",)),
        (CLAUDE, "Anthropic", ("chat",)),
    ]


async def test_a_credential_that_may_not_list_is_held_against_sts() -> None:
    asked: list[str] = []

    def wire(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        if not request.url.host.startswith("sts."):
            return DENIED
        assert "/sts/aws4_request" in request.headers["authorization"]
        assert request.content == b"Action=GetCallerIdentity&Version=2011-06-15"
        return httpx.Response(200, content=b"<GetCallerIdentityResponse/>")

    models = bedrock(
        wire, {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s"}, models=("anthropic.claude-opus-5",)
    ).models
    assert models is not None
    listed = await models.list_models(None)

    assert asked == ["bedrock.us-east-1.amazonaws.com", "sts.us-east-1.amazonaws.com"]
    assert [one.model for one in listed] == ["anthropic.claude-opus-5"]


async def test_a_credential_that_sts_does_not_know_is_bad() -> None:
    def wire(request: httpx.Request) -> httpx.Response:
        return httpx.Response(403, content=b"<Error/>") if request.url.host.startswith("sts.") else DENIED

    models = bedrock(wire, {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s"}).models
    assert models is not None

    with pytest.raises(UpstreamFailure) as caught:
        await models.list_models(None)

    assert caught.value.kind is FailureKind.INVALID_CREDENTIAL


@pytest.mark.parametrize(
    ("status", "name", "kind"),
    [
        (403, "UnrecognizedClientException", FailureKind.INVALID_CREDENTIAL),
        (429, "ThrottlingException", FailureKind.RATE_LIMITED),
        (500, "InternalServerException", FailureKind.SERVER_ERROR),
    ],
)
async def test_a_list_that_fails_says_why(status: int, name: str, kind: FailureKind) -> None:
    models = bedrock(lambda _: httpx.Response(status, json={"message": "m"}, headers={"x-amzn-errortype": name})).models
    assert models is not None

    with pytest.raises(UpstreamFailure) as caught:
        await models.list_models(KEY)

    assert caught.value.kind is kind
