"""`/v1beta/models/{model}:generateContent` and what stands beside it: Google's API, in front of every provider."""

import msgspec
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import Example

from application.inference.calls import CONTENT, CONTENT_COUNTS, CONTENT_EMBEDDINGS
from domain.generate_content import (
    CountTokensRequest,
    EmbedContentRequest,
    EmbeddedBatch,
    EmbeddedOne,
    GenerateContentRequest,
    GeneratedContent,
    TokenTotal,
)
from domain.google_models import GoogleModel, GoogleModelList, google_list, google_model
from entrypoints.http.edge.exchange import Exchange
from entrypoints.http.errors import ERRORS, ErrorAnswer, ErrorBody, ErrorDetail
from entrypoints.http.google_errors import GOOGLE_ERRORS
from entrypoints.http.inference.gemini_body import ContentBody
from entrypoints.http.inference.route import InferenceRoute
from entrypoints.http.inference.serving import Serving

_MODELS = "/v1beta/models"
_TAG = "Gemini"
_encode = msgspec.json.Encoder().encode

generate = Serving(decode=ContentBody(GenerateContentRequest), answering=CONTENT, streaming=CONTENT)
stream = Serving(decode=ContentBody(GenerateContentRequest, stream=True), answering=CONTENT, streaming=CONTENT)
count = Serving(decode=ContentBody[GenerateContentRequest](CountTokensRequest), answering=CONTENT_COUNTS)
embed = Serving(decode=ContentBody(EmbedContentRequest), answering=CONTENT_EMBEDDINGS)


async def list_models(exchange: Exchange) -> None:
    exchange.errors = GOOGLE_ERRORS
    principal = await exchange.authenticate()
    exchange.require_provider()
    await exchange.services.directory.read_awaited()
    models = exchange.services.directory.visible_to(principal, exchange.provider)
    await exchange.send_json(200, _encode(google_list(models)))


async def get_model(exchange: Exchange) -> None:
    exchange.errors = GOOGLE_ERRORS
    principal = await exchange.authenticate()
    exchange.require_provider()
    await exchange.services.directory.read_awaited()
    model = exchange.services.directory.find(principal, exchange.tail, exchange.provider)
    await exchange.send_json(200, _encode(google_model(model)))


class GoogleErrorDetail(msgspec.Struct):
    """What went wrong, in Google's words."""

    code: int
    message: str
    status: str
    details: list[dict[str, msgspec.Raw]] = []


class GoogleErrorBody(msgspec.Struct):
    """The body of every error, as Google's clients read it."""

    error: GoogleErrorDetail


def _errors() -> dict[int, ResponseSpec]:
    """The error answers of these routes, for OpenAPI: what other routes answer, in Google's shape."""
    specs = {}
    for status, spec in ERRORS.items():
        body = msgspec.convert(spec.examples[0].value, ErrorBody) if spec.examples else ErrorBody(ErrorDetail("", ""))
        shown_status, shown = GOOGLE_ERRORS.plain(ErrorAnswer(status, body.error), body.request_id)
        value = msgspec.json.decode(shown)
        examples = [Example(summary=value["error"]["status"], value=value)]
        specs[shown_status] = ResponseSpec(
            GoogleErrorBody, generate_examples=False, description=spec.description, examples=examples
        )
    return specs


_ERRORS = _errors()
_LIST_ERRORS = {status: spec for status, spec in _ERRORS.items() if status in (400, 401, 404, 503)}

_CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "Name a prime above ten."}]}]}
_REQUEST = {
    **_CONTENTS,
    "systemInstruction": {"parts": [{"text": "You are brief."}]},
    "generationConfig": {"maxOutputTokens": 64},
}
_ANSWER = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "11"}]}, "finishReason": "STOP", "index": 0}],
    "usageMetadata": {"promptTokenCount": 21, "candidatesTokenCount": 1, "totalTokenCount": 22},
    "modelVersion": "gpt-oss-120b",
    "responseId": "01XFDUDYJgAACzvnptvVoYEL",
}
_TEXT = {"parts": [{"text": "a cat"}]}

GENERATE_CONTENT = InferenceRoute(
    path=f"{_MODELS}/{{model}}:generateContent",
    method="POST",
    operation_id="generateContent",
    tag=_TAG,
    summary="Generate content",
    description=(
        "Google's `generateContent`, served by whichever provider can: over chat where a provider has no such API. "
        "`{model}` is any model the gateway knows, slashes in it as they are or as `%2F`. Also at `/v1/models/…`, "
        "where newer clients of Google look for it. Names in snake_case are read as well. Errors have Google's shape: "
        "`error.code`, `error.status`, `error.message`, `error.details`."
    ),
    handler=generate,
    request=GenerateContentRequest,
    request_example=_REQUEST,
    response=GeneratedContent,
    response_example=_ANSWER,
    error_style=GOOGLE_ERRORS,
    errors=_ERRORS,
)

STREAM_GENERATE_CONTENT = InferenceRoute(
    path=f"{_MODELS}/{{model}}:streamGenerateContent",
    method="POST",
    operation_id="streamGenerateContent",
    tag=_TAG,
    summary="Generate content as a stream",
    description=(
        "With `alt=sse` server-sent events, each an answer with its new parts, the last with the reason it ended and "
        "its usage; without it the same answers as one JSON array, sent as they come."
    ),
    handler=stream,
    request=GenerateContentRequest,
    request_example=_REQUEST,
    response=GeneratedContent,
    response_example=_ANSWER,
    query={"alt": "`sse` for server-sent events"},
    streams=True,
    stream_example=(
        'data: {"candidates":[{"content":{"role":"model","parts":[{"text":"11"}]},"index":0}],'
        '"modelVersion":"gpt-oss-120b","responseId":"1"}\n\n'
        'data: {"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"finishReason":"STOP","index":0}],'
        '"usageMetadata":{"promptTokenCount":21,"candidatesTokenCount":1,"totalTokenCount":22},'
        '"modelVersion":"gpt-oss-120b","responseId":"1"}\n\n'
    ),
    error_style=GOOGLE_ERRORS,
    errors=_ERRORS,
)

COUNT_CONTENT_TOKENS = InferenceRoute(
    path=f"{_MODELS}/{{model}}:countTokens",
    method="POST",
    operation_id="countContentTokens",
    tag=_TAG,
    summary="Count a request's input tokens",
    description=(
        "Of `contents`, or of a whole `generateContentRequest`. Asked of a provider that counts, else estimated here. "
        "It costs nothing and counts as no tokens in the usage."
    ),
    handler=count,
    request=CountTokensRequest,
    request_example=_CONTENTS,
    response=TokenTotal,
    response_example={"totalTokens": 21},
    error_style=GOOGLE_ERRORS,
    errors=_ERRORS,
)

EMBED_CONTENT = InferenceRoute(
    path=f"{_MODELS}/{{model}}:embedContent",
    method="POST",
    operation_id="embedContent",
    tag=_TAG,
    summary="Embed a text",
    description="Google's embeddings, over those of whichever provider has the model. The texts of the parts are one.",
    handler=embed,
    request=EmbedContentRequest,
    request_example={"content": _TEXT},
    response=EmbeddedOne,
    response_example={"embedding": {"values": [0.0123, -0.0456]}},
    error_style=GOOGLE_ERRORS,
    errors=_ERRORS,
)

BATCH_EMBED_CONTENTS = InferenceRoute(
    path=f"{_MODELS}/{{model}}:batchEmbedContents",
    method="POST",
    operation_id="batchEmbedContents",
    tag=_TAG,
    summary="Embed several texts",
    description="The same for several; all of them with the model of the address.",
    handler=embed,
    request=EmbedContentRequest,
    request_example={"requests": [{"model": "models/text-embedding-3-small", "content": _TEXT}]},
    response=EmbeddedBatch,
    response_example={"embeddings": [{"values": [0.0123, -0.0456]}]},
    error_style=GOOGLE_ERRORS,
    errors=_ERRORS,
)

_EXAMPLE_MODEL = {
    "name": "models/cerebras/gpt-oss-120b",
    "displayName": "cerebras/gpt-oss-120b",
    "supportedGenerationMethods": ["generateContent", "countTokens"],
    "inputTokenLimit": 131072,
}

LIST_GOOGLE_MODELS = InferenceRoute(
    path=_MODELS,
    method="GET",
    operation_id="listGoogleModels",
    tag=_TAG,
    summary="List the models this key may use, as Google does",
    description="In one page, whatever `pageSize` says. At `/v1/models` for who sends `x-goog-api-client`.",
    handler=list_models,
    response=GoogleModelList,
    response_example={"models": [_EXAMPLE_MODEL]},
    error_style=GOOGLE_ERRORS,
    errors=_LIST_ERRORS,
)

GET_GOOGLE_MODEL = InferenceRoute(
    path=f"{_MODELS}/{{model}}",
    method="GET",
    operation_id="getGoogleModel",
    tag=_TAG,
    summary="Look up one model, as Google does",
    description="By its name as the list has it, behind `models/`.",
    handler=get_model,
    response=GoogleModel,
    response_example=_EXAMPLE_MODEL,
    error_style=GOOGLE_ERRORS,
    errors=_LIST_ERRORS,
)

GEMINI_ROUTES = (
    GENERATE_CONTENT,
    STREAM_GENERATE_CONTENT,
    COUNT_CONTENT_TOKENS,
    EMBED_CONTENT,
    BATCH_EMBED_CONTENTS,
    LIST_GOOGLE_MODELS,
    GET_GOOGLE_MODEL,
)
