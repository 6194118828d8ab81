"""Vertex AI: which host, project and path a model has, and in whose format it is asked."""

import json
from typing import Any

import httpx
import pytest

from adapters.dialects.gemini.model_list import read_page
from domain.errors import RequestInvalid, UpstreamFailure
from domain.failover import FailureKind
from domain.keys import ProviderKey
from domain.ports.providers import ProviderCall
from domain.providers import ModelPlace, ProviderSettings
from tests.builders import a_chat_payload
from tests.contracts.providers.parameters import payload
from tests.contracts.providers.test_chat_providers import Progress
from tests.unit.adapters.providers.vertex.google import CLAUDE, GEMINI, Google, a_key, service_account

KEY = a_key(service_account())
EXPRESS = a_key("AIza-express-0123456789")
SSE = {"content-type": "text/event-stream"}


def call(model: str, endpoint: str = "chat.completions", key: Any = KEY, **fields: Any) -> ProviderCall[Any]:
    asked = a_chat_payload(**fields) if endpoint == "chat.completions" else payload(endpoint, *fields)
    return ProviderCall(asked, model, key, True, Progress())


async def url_of(model: str, settings: ProviderSettings | None = None, **more: Any) -> str:
    google = Google(answer=CLAUDE if "claude" in model else GEMINI)
    chat = google.capabilities(settings, **more).chat
    assert chat is not None
    await chat.complete(call(model))
    return str(google.last.url)


@pytest.mark.parametrize(
    ("location", "host"),
    [
        (None, "aiplatform.googleapis.com"),
        ("global", "aiplatform.googleapis.com"),
        ("europe-west4", "europe-west4-aiplatform.googleapis.com"),
        ("us", "aiplatform.us.rep.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
    ],
)
async def test_each_location_has_its_host(location: str | None, host: str) -> None:
    assert await url_of("gemini-2.5-flash", ProviderSettings(location=location)) == (
        f"https://{host}/v1/projects/own-project/locations/{location or 'global'}"
        "/publishers/google/models/gemini-2.5-flash:generateContent"
    )


async def test_a_model_may_be_somewhere_else() -> None:
    settings = ProviderSettings(
        project="p1",
        location="europe-west4",
        model_places={
            "claude-sonnet-4-5@20250929": ModelPlace(location="us-east5"),
            "gemini-2.5-pro": ModelPlace(project="p2"),
        },
    )

    claude = await url_of("claude-sonnet-4-5@20250929", settings)
    pro = await url_of("google/gemini-2.5-pro", settings)
    variables: Any = {"GOOGLE_CLOUD_PROJECT": "p0", "GOOGLE_CLOUD_LOCATION": "asia-east1"}

    assert claude == (
        "https://us-east5-aiplatform.googleapis.com/v1/projects/p1/locations/us-east5"
        "/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict"
    )
    assert "/projects/p2/locations/europe-west4/publishers/google/models/gemini-2.5-pro:" in pro
    assert "//asia-east1-aiplatform" in await url_of("gemini-2.5-pro", **variables)


async def test_an_operators_own_address_is_kept() -> None:
    found = await url_of("gemini-2.5-pro", ProviderSettings(location="us-east5"), base_url="https://psc.example/v1")

    assert found.startswith("https://psc.example/v1/projects/own-project/locations/us-east5/")


async def test_a_models_name_is_one_segment() -> None:
    found = await url_of("../../x?y=1#z")

    assert found.endswith("/models/..%2F..%2Fx%3Fy%3D1%23z:generateContent")


@pytest.mark.parametrize(
    ("settings", "param"),
    [
        (ProviderSettings(location="evil.example/"), "settings.location"),
        (ProviderSettings(project="a/b"), "settings.project"),
        (ProviderSettings(model_places={"m": ModelPlace(location="@x")}), "settings.model_places.m.location"),
    ],
)
def test_what_would_change_the_address_is_refused(settings: ProviderSettings, param: str) -> None:
    """S-07."""
    with pytest.raises(RequestInvalid) as caught:
        Google().capabilities(settings)

    assert caught.value.param == param


async def test_gemini_gets_clean_schemas_and_no_ids() -> None:
    google = Google()
    chat = google.capabilities().chat
    assert chat is not None
    schema = {"type": "object", "properties": {"a": {"const": "x"}}, "additionalProperties": False}

    await chat.complete(
        call("gemini-3-pro", tools=[{"type": "function", "function": {"name": "f", "parameters": schema}}])
    )

    declared = google.sent()["tools"][0]["functionDeclarations"][0]
    assert declared == {
        "name": "f",
        "parameters": {"type": "OBJECT", "properties": {"a": {"type": "STRING", "enum": ["x"]}}},
    }
    assert google.sent()["contents"][0]["role"] == "user"


async def test_claude_is_asked_in_anthropics_words() -> None:
    google = Google(answer=CLAUDE)
    chat = google.capabilities().chat
    assert chat is not None

    answer = await chat.complete(call("claude-sonnet-4-5@20250929"))

    assert json.loads(answer.body)["choices"][0]["message"]["content"] == "hi"
    assert google.sent()["anthropic_version"] == "vertex-2023-10-16"
    assert "model" not in google.sent()


async def test_streams_have_their_own_methods() -> None:
    events = b"data: " + json.dumps(GEMINI).encode() + b"\r\n\r\n"
    google = Google(answer=lambda request: httpx.Response(200, content=events, headers=SSE))
    capabilities = google.capabilities()
    assert capabilities.chat is not None
    assert capabilities.messages is not None

    stream = await capabilities.chat.stream(call("gemini-2.5-flash"))
    received = b"".join([block async for block in stream])
    await stream.aclose()
    gemini = str(google.last.url)
    claude = await capabilities.messages.stream(call("claude-opus-4-1", "messages", stream=True))
    await claude.aclose()

    assert b'"content":"hi"' in received
    assert gemini.endswith("gemini-2.5-flash:streamGenerateContent?alt=sse")
    assert str(google.last.url).endswith("/publishers/anthropic/models/claude-opus-4-1:streamRawPredict")
    assert google.sent()["stream"] is True


async def test_messages_go_to_claude_as_they_are_and_to_gemini_over_chat() -> None:
    google = Google(answer=lambda request: CLAUDE if "anthropic" in request.url.path else GEMINI)
    messages = google.capabilities().messages
    assert messages is not None

    claude = await messages.complete(call("claude-sonnet-4-5", "messages"))
    gemini = await messages.complete(call("gemini-2.5-flash", "messages"))

    assert json.loads(claude.body) == CLAUDE
    assert json.loads(gemini.body)["content"][0]["text"] == "hi"


async def test_tokens_are_counted_by_claude_and_estimated_for_gemini() -> None:
    google = Google(answer={"input_tokens": 14})
    counts = google.capabilities().token_counts
    assert counts is not None

    claude = await counts.complete(call("claude-sonnet-4-5", "messages"))
    gemini = await counts.complete(call("gemini-2.5-flash", "messages"))

    assert json.loads(claude.body) == {"input_tokens": 14}
    assert google.last.url.path.endswith("/publishers/anthropic/models/count-tokens:rawPredict")
    assert google.sent()["model"] == "claude-sonnet-4-5"
    assert len(google.requests) == 1
    assert json.loads(gemini.body)["input_tokens"] > 0


async def test_embeddings_are_predictions_one_text_a_call() -> None:
    def vectors(request: httpx.Request) -> Any:
        one = {"embeddings": {"values": [3.0, 4.0], "statistics": {"token_count": 3}}}
        return {"predictions": [one for _ in json.loads(request.content)["instances"]]}

    google = Google(answer=vectors)
    embeddings = google.capabilities().embeddings
    assert embeddings is not None
    asked = call("gemini-embedding-001", "embeddings", dimensions=2)

    answer = await embeddings.complete(asked)

    assert google.last.url.path.endswith("/models/gemini-embedding-001:predict")
    assert google.sent() == {
        "instances": [{"content": "hi"}],
        "parameters": {"autoTruncate": False, "outputDimensionality": 256},
    }
    assert json.loads(answer.body)["data"][0]["embedding"] == [0.6, 0.8]
    assert answer.usage is not None
    assert answer.usage.input_tokens == 3


async def test_imagen_draws() -> None:
    google = Google(
        answer={"predictions": [{"bytesBase64Encoded": "aWk=", "mimeType": "image/png", "prompt": "a cat"}]}
    )
    images = google.capabilities().images
    assert images is not None

    answer = await images.complete(call("imagen-4.0-generate-001", "images.generations", size=1, n=1))

    body = json.loads(answer.body)
    assert google.sent() == {
        "instances": [{"prompt": "a cat"}],
        "parameters": {"sampleCount": 2, "aspectRatio": "1:1"},
    }
    assert body["data"] == [{"b64_json": "aWk=", "revised_prompt": "a cat"}]
    with pytest.raises(UpstreamFailure) as caught:
        await images.stream(call("imagen-4.0-generate-001", "images.generations"))
    assert caught.value.kind is FailureKind.UNSUPPORTED


async def test_a_filtered_picture_is_the_prompts_fault() -> None:
    google = Google(answer={"predictions": [{"raiFilteredReason": "Violence."}]})
    images = google.capabilities().images
    assert images is not None

    with pytest.raises(UpstreamFailure, match="Violence") as caught:
        await images.complete(call("imagen-4.0-generate-001", "images.generations"))

    assert caught.value.kind is FailureKind.CLIENT_FAULT


@pytest.mark.parametrize(
    ("model", "key"),
    [
        ("claude-sonnet-4-5", EXPRESS),
        ("gemini-2.5-flash", None),
        ("gemini-2.5-flash", a_key(service_account(project_id=None))),
    ],
)
async def test_where_a_project_is_needed_it_is_asked_for_by_name(model: str, key: ProviderKey | None) -> None:
    chat = Google().capabilities().chat
    assert chat is not None

    with pytest.raises(UpstreamFailure, match=r"settings\.project") as caught:
        await chat.complete(call(model, key=key))

    assert caught.value.kind is FailureKind.UNSUPPORTED


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (401, {"status": "UNAUTHENTICATED", "message": "no"}, FailureKind.INVALID_CREDENTIAL),
        (403, {"status": "PERMISSION_DENIED", "message": "no"}, FailureKind.INVALID_CREDENTIAL),
        (404, {"status": "NOT_FOUND", "message": "Publisher Model was not found"}, FailureKind.MODEL_ABSENT),
        (429, {"status": "RESOURCE_EXHAUSTED", "message": "Resource exhausted."}, FailureKind.RATE_LIMITED),
        (503, {"status": "UNAVAILABLE", "message": "no"}, FailureKind.OVERLOADED),
    ],
)
async def test_refusals_are_told_apart(status: int, error: dict[str, Any], kind: FailureKind) -> None:
    google = Google(answer=lambda request: httpx.Response(status, json={"error": {"code": status, **error}}))
    chat = google.capabilities().chat
    assert chat is not None

    with pytest.raises(UpstreamFailure) as caught:
        await chat.complete(call("gemini-2.5-flash"))

    assert caught.value.kind is kind


async def test_it_lists_what_it_was_said_to_have() -> None:
    models = Google().capabilities(ProviderSettings(models=("gemini-3-pro",))).models
    assert models is not None

    assert "gemini-3-pro" in {offering.model for offering in await models.list_models(None)}


def test_a_page_of_models_says_what_each_can_do() -> None:
    page = read_page(
        b'{"models":[{"name":"models/gemini-3-flash","inputTokenLimit":1048576,"supportedGenerationMethods":'
        b'["generateContent","countTokens"]},{"name":"models/gemini-embedding-001","supportedGenerationMethods":'
        b'["embedContent","batchEmbedContents"]}],"nextPageToken":"n"}'
    )

    assert page.next_token == "n"
    assert [(one.model, one.capabilities, one.context_window) for one in page.offerings] == [
        ("gemini-3-flash", ("chat",), 1048576),
        ("gemini-embedding-001", ("embeddings",), None),
    ]
