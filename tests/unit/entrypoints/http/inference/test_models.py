"""The model list and its entries."""

from typing import cast

from tests.unit.adapters.dialects.anthropic.samples import validator
from tests.unit.entrypoints.http.harness import FakeDirectory, Harness

VERSION = (b"anthropic-version", b"2023-06-01")


async def test_the_list_is_openais() -> None:
    answer = await (await Harness.make()).get("/v1/models")

    body = answer.json()
    assert (answer.status, body["object"]) == (200, "list")
    assert [model["id"] for model in body["data"]] == ["m", "openai/gpt-x", "a/b:free"]
    assert {"id", "object", "created", "owned_by", "provider", "context_window", "capabilities", "pricing"} <= set(
        body["data"][0]
    )


async def test_the_same_list_is_anthropics() -> None:
    answer = await (await Harness.make()).get("/v1/models")

    body = answer.json()
    assert (body["has_more"], body["first_id"], body["last_id"]) == (False, "m", "a/b:free")
    assert {name: body["data"][1][name] for name in ("type", "display_name", "created_at", "lifecycle")} == {
        "type": "model",
        "display_name": "openai/gpt-x",
        "created_at": "1970-01-01T00:00:00Z",
        "lifecycle": "active",
    }


async def test_anthropics_clients_get_capabilities_as_an_object() -> None:
    harness = await Harness.make()

    listed = (await harness.get("/v1/models", VERSION)).json()
    one = (await harness.get("/v1/models/m", VERSION)).json()

    for model in (*listed["data"], one):
        validator("anthropic.model_info").validate(model)
        assert model["capabilities"]["image_input"] == {"supported": True}
    assert (listed["first_id"], listed["has_more"]) == ("m", False)
    assert isinstance((await harness.get("/v1/models")).json()["data"][0]["capabilities"], list)


async def test_an_empty_list_has_no_first_and_no_last() -> None:
    harness = await Harness.make()
    cast(FakeDirectory, harness.services.directory).models.clear()

    body = (await harness.get("/v1/models")).json()

    assert (body["data"], body["first_id"], body["last_id"]) == ([], None, None)


async def test_a_model_is_found_by_an_id_with_slashes_and_colons() -> None:
    answer = await (await Harness.make()).get("/v1/models/a/b:free")

    assert (answer.status, answer.json()["id"]) == (200, "a/b:free")


async def test_an_unknown_model_is_404() -> None:
    answer = await (await Harness.make()).get("/v1/models/nope")

    assert (answer.status, answer.code) == (404, "model_not_found")


async def test_an_unknown_model_is_told_anthropics_clients_in_their_words() -> None:
    answer = await (await Harness.make()).get("/v1/models/nope", VERSION)

    assert (answer.status, answer.json()["type"], answer.json()["error"]["type"]) == (404, "error", "not_found_error")


async def test_the_list_needs_a_key() -> None:
    answer = await (await Harness.make()).client().request("GET", "/v1/models")

    assert (answer.status, answer.code) == (401, "invalid_api_key")
