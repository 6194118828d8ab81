"""The model list and its entries."""

from tests.unit.entrypoints.http.harness import Harness


async def test_the_list_is_openais() -> None:
    answer = await (await Harness.make()).get("/v1/models")

    body = answer.json()
    assert (answer.status, body["object"]) == (200, "list")
    assert [model["id"] for model in body["data"]] == ["m", "openai/gpt-x", "a/b:free"]
    assert {"id", "object", "created", "owned_by", "provider", "context_window", "capabilities", "pricing"} == set(
        body["data"][0]
    )


async def test_a_model_is_found_by_an_id_with_slashes_and_colons() -> None:
    answer = await (await Harness.make()).get("/v1/models/a/b:free")

    assert (answer.status, answer.json()["id"]) == (200, "a/b:free")


async def test_an_unknown_model_is_404() -> None:
    answer = await (await Harness.make()).get("/v1/models/nope")

    assert (answer.status, answer.code) == (404, "model_not_found")


async def test_the_list_needs_a_key() -> None:
    answer = await (await Harness.make()).client().request("GET", "/v1/models")

    assert (answer.status, answer.code) == (401, "invalid_api_key")
