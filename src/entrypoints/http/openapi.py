"""The OpenAPI document, made from the routes themselves."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import cast

from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, Contact, License, SecurityScheme, Tag
from litestar.serialization import encode_json, get_serializer
from litestar.types import ControllerRouterHandler

from entrypoints.http.errors import ERRORS
from entrypoints.http.inference.route import InferenceRoute

Json = dict[str, object]

TITLE = "Open Model Gateway"

_DESCRIPTION = (
    "One OpenAI-compatible service in front of every model provider. Clients send a virtual key as "
    "`Authorization: Bearer sk-omg-…`; the admin API takes the admin token the same way. Every answer has "
    "`x-request-id`; every error has the same body."
)
_PARAMETERS: dict[str, Json] = {
    "provider": {"description": "The id of a configured provider", "example": "cerebras"},
    "model": {"description": "A model id; slashes in it may stand as they are", "example": "cerebras/gpt-oss-120b"},
}
_STREAM_EXAMPLE = (
    'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1795262400,"model":"gpt-oss-120b",'
    '"choices":[{"index":0,"delta":{"role":"assistant","content":"11"},"logprobs":null,"finish_reason":null}]}\n\n'
    "data: [DONE]\n\n"
)
_SCHEMES = {"/admin": "adminToken", "/api": "session", "/me": "session"}
_METHODS = frozenset({"get", "post", "put", "patch", "delete", "head"})


def openapi_document(
    handlers: Sequence[ControllerRouterHandler], routes: Sequence[InferenceRoute], base_path: str = ""
) -> bytes:
    """The document as JSON. Builds the routes anew, so it is made when first asked for and kept."""
    app = Litestar(list(handlers), openapi_config=_config(), logging_config=None)
    document = cast(Json, app.openapi_schema.to_schema())
    if base_path:
        document["servers"] = [{"url": base_path}]
    by_operation = {route.operation_id: route for route in routes}
    for path, operation in _operations(document):
        _add_path_parameters(path, operation)
        public = path.startswith("/health")
        _add_errors(operation, (400, 503) if public else (400, 401, 503))
        scheme = next((scheme for prefix, scheme in _SCHEMES.items() if path.startswith(prefix)), "virtualKey")
        operation["security"] = [] if public else [{scheme: []}]
        route = by_operation.get(str(operation.get("operationId", "")).removesuffix("AtProvider"))
        if route is not None:
            _add_query(operation, route)
            _add_idempotency(operation, route)
            _add_examples(operation, route)
            _restate_examples(operation, route)
    return encode_json(document, get_serializer())


def _config() -> OpenAPIConfig:
    return OpenAPIConfig(
        title=TITLE,
        version=version("open-model-gateway"),
        description=_DESCRIPTION,
        license=License(name="MIT", identifier="MIT"),
        contact=Contact(name="Open Model Gateway"),
        tags=[
            Tag("Chat", "Answers from models"),
            Tag("Messages", "The same, as Anthropic's API has it"),
            Tag("Gemini", "The same, as Google's API has it"),
            Tag("Completions", "Texts that go on"),
            Tag("Embeddings", "Texts as vectors"),
            Tag("Images", "Images from prompts"),
            Tag("Audio", "Speech, and recordings written down"),
            Tag("Moderations", "What is wrong with a text or an image"),
            Tag("Models", "What a key may ask for"),
            Tag("Usage", "Its cost"),
            Tag("Tenants", "Whose keys and spend belong together, and their members"),
            Tag("Users", "People who sign in"),
            Tag("Chat app", "Messages and answers of the person who is signed in"),
            Tag("Conversations", "What the chat keeps of them"),
            Tag("Templates", "Texts with fields, to send or as system prompts"),
        ],
        components=Components(
            security_schemes={
                "virtualKey": SecurityScheme("http", scheme="bearer", description="A virtual key, `sk-omg-…`"),
                "session": SecurityScheme(
                    "apiKey",
                    name="session",
                    security_scheme_in="cookie",
                    description="The session of whoever is signed in; none with `OMG_AUTH=open`",
                ),
                "adminToken": SecurityScheme("http", scheme="bearer", description="The admin token, `omg-admin-…`"),
            }
        ),
    )


def _operations(document: Json) -> Iterator[tuple[str, Json]]:
    paths = cast(Mapping[str, Mapping[str, Json]], document["paths"])
    for path, item in paths.items():
        for method, operation in item.items():
            if method in _METHODS:
                yield path, operation


def _add_path_parameters(path: str, operation: Json) -> None:
    """Those in the path that no handler declares, because the edge reads them."""
    known = cast(list[Json], operation.setdefault("parameters", []))
    named = {parameter.get("name") for parameter in known if parameter.get("in") == "path"}
    for name, facts in _PARAMETERS.items():
        if f"{{{name}}}" in path and name not in named:
            known.append({"name": name, "in": "path", "required": True, "schema": {"type": "string"}, **facts})
    if not known:
        del operation["parameters"]


def _add_query(operation: Json, route: InferenceRoute) -> None:
    """The parameters that the handler reads from the address by itself."""
    if route.query:
        known = cast(list[Json], operation.setdefault("parameters", []))
        known += (
            {"name": name, "in": "query", "required": False, "schema": {"type": "string"}, "description": meaning}
            for name, meaning in route.query.items()
        )


def _add_idempotency(operation: Json, route: InferenceRoute) -> None:
    """What asks a provider can be sent again. A file that is uploaded cannot."""
    if route.method == "POST" and route.path != "/api/files":
        parameter = {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            "description": "With the same body it gets the first answer again, and no provider is asked twice.",
        }
        cast(list[Json], operation.setdefault("parameters", [])).append(parameter)


def _add_errors(operation: Json, statuses: Iterable[int]) -> None:
    """Whatever an operation says of its errors, these can always happen, and each has the same body."""
    responses = cast(dict[str, Json], operation.setdefault("responses", {}))
    stated = responses.get("400", {})
    if "content" not in stated or "ErrorBody" not in str(stated):
        responses.pop("400", None)
    for status in statuses:
        spec = ERRORS[status]
        examples = {str(example.summary): {"value": example.value} for example in spec.examples or ()}
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}, "examples": examples}}
        responses.setdefault(str(status), {"description": spec.description, "content": content})


def _restate_examples(operation: Json, route: InferenceRoute) -> None:
    """Litestar leaves out what is null in an example; clients see those nulls."""
    responses = cast(Mapping[str, Mapping[str, Mapping[str, Json]]], operation["responses"])
    stated = {status: [example.value for example in spec.examples or ()] for status, spec in route.errors.items()}
    stated[route.status] = [route.response_example]
    for status, values in stated.items():
        kind = route.response_type if status == route.status else "application/json"
        examples = cast(Mapping[str, Json], responses[str(status)]["content"][kind]["examples"])
        for example, value in zip(examples.values(), values, strict=True):
            example["value"] = value


def _add_examples(operation: Json, route: InferenceRoute) -> None:
    if route.request_example is not None:
        body = cast(Mapping[str, Mapping[str, Json]], operation["requestBody"])
        body["content"][route.request_type]["example"] = route.request_example
    if route.streams:
        responses = cast(Mapping[str, Mapping[str, Json]], operation["responses"])
        responses["200"]["content"]["text/event-stream"] = {
            "schema": {"type": "string"},
            "example": route.stream_example or _STREAM_EXAMPLE,
        }
