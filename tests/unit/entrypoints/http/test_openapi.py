"""The OpenAPI document and the page that shows it, without a browser."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar

from entrypoints.http.app import api_document
from entrypoints.http.docs import docs_handlers
from entrypoints.http.error_styles import answer_error
from tests.unit.entrypoints.http.harness import Harness


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return dict(json.loads(api_document()))


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def test_every_operation_has_a_summary_and_a_security_requirement(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert operation.get("summary"), name
        assert operation["security"] or "/health/" in name, name


def test_every_operation_has_examples_of_what_goes_in_and_comes_out(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        for part in (*bodies, *operation["responses"].values()):
            for content in part.get("content", {}).values():
                assert "example" in json.dumps(content), (name, part)


def test_every_operation_tells_its_errors_in_the_one_body(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        wanted = {"400", "503"} if "/health/" in name else {"400", "401", "503"}
        assert wanted <= operation["responses"].keys(), name
        for status, response in operation["responses"].items():
            if status >= "400" and "/health/" not in name:
                schema = response["content"]["application/json"]["schema"]
                known = status != "503"  # else refused before its address is known
                body = "MessagesErrorBody" if "/v1/messages" in name and known else "ErrorBody"
                body = "GoogleErrorBody" if "/v1beta/" in name else body
                assert schema == {"$ref": f"#/components/schemas/{body}"}, (name, status)


def test_the_chat_operation_shows_both_answers_and_its_nulls(document: dict[str, Any]) -> None:
    chat = document["paths"]["/v1/chat/completions"]["post"]

    assert chat["requestBody"]["content"]["application/json"]["example"]["model"] == "auto"
    assert "[DONE]" in chat["responses"]["200"]["content"]["text/event-stream"]["example"]
    example = next(iter(chat["responses"]["401"]["content"]["application/json"]["examples"].values()))["value"]
    assert example["error"]["param"] is None


def test_path_parameters_are_declared(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        declared = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", name)), name


@pytest.fixture
async def http() -> Harness:
    handlers = docs_handlers(lambda: b'{"openapi":"3.1.0"}')
    framework = Litestar(
        handlers, openapi_config=None, logging_config=None, exception_handlers={Exception: answer_error}
    )
    return await Harness.make(framework=framework)


async def test_the_page_loads_only_files_of_the_gateway_itself(http: Harness) -> None:
    page = await http.get("/docs")

    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.body.decode())
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert len(addresses) == 6
    for address in addresses:
        assert address.startswith("/")
        answer = await http.get(address)
        assert answer.status == 200
        assert answer.headers["x-content-type-options"] == "nosniff"
        if "/assets/" in address:
            assert "immutable" in answer.headers["cache-control"]
    assert "<script>" not in page.body.decode()
    assert "style=" not in page.body.decode()


@pytest.mark.parametrize(
    "name",
    ["nothing.js", "..", "../docs.js", "..%2f..%2fetc%2fpasswd", "/etc/passwd", "docs.js", "\x00", "swagger-ui.css",
     "....//....//etc/passwd", "%2e%2e%2f"],
)  # fmt: skip
async def test_no_name_leads_out_of_the_assets(http: Harness, name: str) -> None:
    """S-32: names are looked up among those the page uses, never opened."""
    answer = await http.get(f"/docs/assets/{name}")

    assert (answer.status, answer.code) == (404, "not_found")


async def test_the_document_is_made_once_and_served(http: Harness) -> None:
    for _ in range(2):
        answer = await http.get("/openapi.json")
        assert (answer.json(), answer.headers["content-type"]) == ({"openapi": "3.1.0"}, "application/json")
