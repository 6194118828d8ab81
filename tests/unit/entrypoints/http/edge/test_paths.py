"""Base-URL mistakes that are forgiven, and paths that are not ours (contract 4)."""

import pytest

from entrypoints.http.edge.exchange import Exchange
from entrypoints.http.edge.paths import RouteTable
from entrypoints.http.inference.route import InferenceRoute
from entrypoints.http.inference.routes import INFERENCE_ROUTES
from tests.unit.entrypoints.http.harness import Harness


async def _nothing(exchange: Exchange) -> None:
    raise AssertionError


MESSAGES = InferenceRoute(
    path="/v1/messages", method="POST", operation_id="m", tag="t", summary="s", description="d", handler=_nothing,
    response=str, response_example="",
)  # fmt: skip


def find(path: str, *providers: str) -> tuple[str, str | None, str] | None:
    match = RouteTable([*INFERENCE_ROUTES, MESSAGES], providers.__contains__).find(path)
    if match is None:
        return None
    return next(iter(match.routes.values())).path, match.provider, match.tail


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions", "/chat/completions", "//v1/chat/completions", "/v1//chat/completions",
        "/v1/chat/completions/", "/chat/completions/", "/v1/v1/chat/completions", "//chat//completions//",
    ],
)  # fmt: skip
def test_every_spelling_of_a_route_is_that_route(path: str) -> None:
    assert find(path) == ("/v1/chat/completions", None, "")


@pytest.mark.parametrize(
    "path",
    ["/alpha/v1/chat/completions", "/alpha/chat/completions", "//alpha/v1/chat/completions/",
     "/alpha//v1/chat/completions", "/alpha/v1/v1/chat/completions"],
)  # fmt: skip
def test_a_provider_before_it_pins_the_route(path: str) -> None:
    assert find(path) == ("/v1/chat/completions", "alpha", "")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/v1/models/gpt", ("/v1/models/{model}", None, "gpt")),
        ("/models/gpt", ("/v1/models/{model}", None, "gpt")),
        ("/v1/models/openai/gpt:free", ("/v1/models/{model}", None, "openai/gpt:free")),
        ("/alpha/v1/models/a/b/c", ("/v1/models/{model}", "alpha", "a/b/c")),
        ("/v1/models/", ("/v1/models", None, "")),
        ("/alpha/models", ("/v1/models", "alpha", "")),
    ],
)
def test_a_model_id_keeps_its_slashes(path: str, found: tuple[str, str | None, str]) -> None:
    assert find(path) == found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/v1/responses/resp_1", ("/v1/responses/{response_id}", None, "resp_1")),
        ("/alpha/v1/responses/resp_1/", ("/v1/responses/{response_id}", "alpha", "resp_1")),
        ("/v1/responses/resp_1/cancel", ("/v1/responses/{response_id}/cancel", None, "resp_1")),
        ("/responses/resp_1/input_items", ("/v1/responses/{response_id}/input_items", None, "resp_1")),
        ("/v1/responses/input_tokens", ("/v1/responses/input_tokens", None, "")),
        ("/v1/responses/cancel", ("/v1/responses/{response_id}", None, "cancel")),
    ],
)
def test_what_stands_behind_an_id_chooses_the_route(path: str, found: tuple[str, str | None, str]) -> None:
    assert find(path) == found


@pytest.mark.parametrize(
    ("path", "route", "tail"),
    [
        ("/anthropic/v1/messages", "/v1/messages", ""),
        ("/anthropic/messages", "/v1/messages", ""),
        ("/anthropic/v1/messages/count_tokens", "/v1/messages/count_tokens", ""),
        ("/anthropic/v1/models", "/v1/models", ""),
        ("/anthropic/v1/models/", "/v1/models", ""),
        ("/anthropic/v1/models/openai/gpt", "/v1/models/{model}", "openai/gpt"),
    ],
)
def test_anthropics_own_paths_are_pinned_only_where_such_a_provider_is(path: str, route: str, tail: str) -> None:
    assert find(path) == (route, None, tail)
    assert find(path, "anthropic") == (route, "anthropic", tail)


@pytest.mark.parametrize(
    ("path", "route", "model"),
    [
        ("/openai/deployments/gpt/chat/completions", "/v1/chat/completions", "gpt"),
        ("/openai/deployments/chat/completions", "/v1/completions", "chat"),
        ("/openai/deployments/a/b:free/completions", "/v1/completions", "a/b:free"),
        ("/openai/deployments/gpt/images/edits/", "/v1/images/edits", "gpt"),
        ("//openai/deployments/gpt/audio/translations", "/v1/audio/translations", "gpt"),
        ("/openai/deployments/gpt/moderations", None, ""),
    ],
)
def test_azures_deployments_name_the_model(path: str, route: str | None, model: str) -> None:
    match = RouteTable(INFERENCE_ROUTES, lambda name: True).find(path, b"api-version=2024-10-21")

    found = None if match is None else next(iter(match.routes.values())).path
    assert found == route
    assert match is None or (match.deployment, match.provider) == (model, None)


@pytest.mark.parametrize("path", ["/openai/responses", "/openai/models", "/openai/responses/resp_1/cancel"])
def test_azures_other_paths_are_pinned_only_without_a_version(path: str) -> None:
    table = RouteTable(INFERENCE_ROUTES, {"openai"}.__contains__)
    nobody = RouteTable(INFERENCE_ROUTES, lambda name: False)

    assert [
        match.provider if match is not None else "no route"
        for match in (table.find(path), table.find(path, b"api-version=2025-04-01-preview"), nobody.find(path))
    ] == ["openai", None, None]


GENERATE = "/v1beta/models/{model}:generateContent"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/v1beta/models/m:generateContent", (GENERATE, None, "m")),
        ("/v1/models/m:generateContent", (GENERATE, None, "m")),
        ("/v1alpha/models/m:generateContent", (GENERATE, None, "m")),
        ("/v1/v1beta/models/m:generateContent", (GENERATE, None, "m")),
        ("/v1beta/v1beta/models/m:generateContent", (GENERATE, None, "m")),
        ("/models/m:generateContent", (GENERATE, None, "m")),
        ("//v1beta//models/openai/gpt:free:generateContent", (GENERATE, None, "openai/gpt:free")),
        ("/alpha/v1beta/models/a/b:generateContent", (GENERATE, "alpha", "a/b")),
        ("/alpha/v1/models/a/b:generateContent", (GENERATE, "alpha", "a/b")),
        ("/gemini/v1beta/models/m:generateContent", (GENERATE, None, "m")),
        ("/v1beta/models/m:streamGenerateContent", ("/v1beta/models/{model}:streamGenerateContent", None, "m")),
        ("/v1/models/m:batchEmbedContents", ("/v1beta/models/{model}:batchEmbedContents", None, "m")),
        ("/v1beta/models", ("/v1beta/models", None, "")),
        ("/v1beta/models/a/b", ("/v1beta/models/{model}", None, "a/b")),
        ("/v1/models/m:free", ("/v1/models/{model}", None, "m:free")),
        ("/v1beta/openai/chat/completions", ("/v1/chat/completions", None, "")),
        ("/v1beta/files", None),
        ("/v1beta/models/m:predict", ("/v1beta/models/{model}", None, "m:predict")),
    ],
)
def test_googles_addresses_are_found_at_each_of_its_versions(
    path: str, found: tuple[str, str | None, str] | None
) -> None:
    assert find(path, "alpha") == found


def test_googles_own_name_is_a_provider_where_there_is_one() -> None:
    assert find("/gemini/v1beta/models/m:generateContent", "gemini") == (GENERATE, "gemini", "m")


def test_coheres_address_of_ranking_is_the_same() -> None:
    assert find("/v2/rerank") == ("/v1/rerank", None, "")


def test_openais_name_with_v1_is_pinned_where_such_a_provider_is() -> None:
    assert find("/openai/v1/chat/completions") == ("/v1/chat/completions", None, "")
    assert find("/openai/v1/chat/completions", "openai") == ("/v1/chat/completions", "openai", "")


def test_other_paths_under_anthropics_name_stay_pinned() -> None:
    assert find("/anthropic/v1/chat/completions") == ("/v1/chat/completions", "anthropic", "")


@pytest.mark.parametrize(
    "path",
    ["", "/", "/v1", "/v1/", "/v1/nothing", "/admin/v1/chat/completions", "/docs/v1/models", "/Alpha/v1/models",
     "/al.pha/v1/models", "/health/live", "/admin/providers", "/docs", "/openapi.json", "/alpha", "/alpha/v1",
     "/../v1/models", "/a" * 70 + "/v1/models"],
)  # fmt: skip
def test_other_paths_are_not_inference_routes(path: str) -> None:
    assert find(path) is None


async def test_the_percent_encoded_id_is_the_same_model() -> None:
    """The server decodes the path, so `%2F` and `/` arrive alike; the answer is the model either way."""
    answer = await (await Harness.make()).get("/v1/models/openai/gpt-x")

    assert answer.json()["id"] == "openai/gpt-x"


async def test_a_provider_that_is_not_configured_is_said_to_be_unknown() -> None:
    http = await Harness.make()

    for answer in (await http.get("/beta/v1/models"), await http.chat(path="/beta/v1/chat/completions")):
        assert (answer.status, answer.code) == (404, "provider_not_found")
    assert (await http.get("/alpha/v1/models")).status == 200


async def test_unknown_providers_are_not_told_to_strangers() -> None:
    http = await Harness.make()

    answer = await http.client().request("GET", "/beta/v1/models")

    assert answer.status == 401


async def test_a_pinned_chat_says_so_to_the_pipeline() -> None:
    http = await Harness.make()

    await http.chat(path="/alpha/v1/chat/completions")
    await http.chat(path="/v1/chat/completions")

    assert [call.pinned_provider for call in http.pipeline.calls] == ["alpha", None]
