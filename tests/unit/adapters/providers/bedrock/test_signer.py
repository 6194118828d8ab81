"""Signatures, held against vectors that botocore made."""

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.providers.bedrock.addresses import Addresses
from adapters.providers.bedrock.identity import AwsIdentity
from adapters.providers.bedrock.signer import AwsSigner
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.providers import ModelPlace, ProviderSettings
from domain.secrets import Secret
from tests.builders import a_provider_key

VECTORS = json.loads((Path(__file__).parents[4] / "wire" / "bedrock" / "sigv4_vectors.json").read_text())
STATIC = {
    "AWS_ACCESS_KEY_ID": VECTORS["credentials"]["access_key"],
    "AWS_SECRET_ACCESS_KEY": VECTORS["credentials"]["secret_key"],
}


@pytest.fixture
def at_the_vectors_time(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime.strptime(VECTORS["time"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: moment)


async def signed(case: dict[str, Any], key: object = None, variables: dict[str, str] | None = None) -> httpx.Request:
    token = {"AWS_SESSION_TOKEN": case["session_token"]} if case["session_token"] else {}
    identity = AwsIdentity(STATIC | token if variables is None else variables)
    signer = AwsSigner(identity, lambda _: case["region"], case["service"])
    request = httpx.Request(
        case["method"], case["url"], headers={"content-type": "application/json", "user-agent": "open-model-gateway/1"}
    )
    await signer.sign(request, case["body"].encode(), key)  # type: ignore[arg-type]  # a key or none
    return request


@pytest.mark.usefixtures("at_the_vectors_time")
@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
async def test_a_request_is_signed_as_botocore_signs_it(case: dict[str, Any]) -> None:
    request = await signed(case)

    for name, value in case["signed_headers_out"].items():
        assert request.headers[name] == value


@pytest.mark.usefixtures("at_the_vectors_time")
@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
async def test_the_path_reaches_the_wire_as_it_was_signed(case: dict[str, Any]) -> None:
    request = await signed(case)

    assert request.url.raw_path.decode() == case["url"].partition(".com" if ".com/" in case["url"] else ".aws")[2]


@pytest.mark.usefixtures("at_the_vectors_time")
async def test_a_stored_access_key_signs_like_the_environments() -> None:
    case = VECTORS["cases"][2]
    stored = {
        "access_key_id": STATIC["AWS_ACCESS_KEY_ID"],
        "secret_access_key": STATIC["AWS_SECRET_ACCESS_KEY"],
        "session_token": case["session_token"],
    }

    request = await signed(case, a_provider_key(secret=Secret(json.dumps(stored))), {})

    assert request.headers["authorization"] == case["signed_headers_out"]["Authorization"]
    assert stored["secret_access_key"] not in str(request.headers.raw)


async def test_an_api_key_is_a_bearer_token_and_signs_nothing() -> None:
    request = await signed(VECTORS["cases"][0], a_provider_key(secret=Secret("bedrock-api-key-1")), {})

    assert request.headers["authorization"] == "Bearer bedrock-api-key-1"
    assert "x-amz-date" not in request.headers


async def test_the_variable_of_an_api_key_wins_over_access_keys() -> None:
    request = await signed(VECTORS["cases"][0], None, STATIC | {"AWS_BEARER_TOKEN_BEDROCK": "abc"})

    assert request.headers["authorization"] == "Bearer abc"


@pytest.mark.parametrize("secret", ['{"access_key_id": "A"}', "{", "key\r\nx-evil: 1", '{"access_key_id": 1}'])
async def test_a_key_that_cannot_be_used_says_so_and_not_what_it_is(secret: str) -> None:
    """S-21."""
    with pytest.raises(UpstreamFailure) as caught:
        await signed(VECTORS["cases"][0], a_provider_key(secret=Secret(secret)), {})

    assert caught.value.kind is FailureKind.INVALID_CREDENTIAL
    assert "evil" not in caught.value.message


async def test_what_is_signed_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    """S-21."""
    caplog.set_level(logging.DEBUG)

    await signed(VECTORS["cases"][2])

    assert "TOKENEXAMPLE" not in caplog.text


def test_a_models_own_region_is_the_one_signed_for() -> None:
    settings = ProviderSettings(location="us-west-2", model_places={"m": ModelPlace(location="eu-west-1")})
    addresses = Addresses(httpx.URL("https://bedrock-runtime.amazonaws.com/"), settings, {})

    assert addresses.region_of(addresses.model("m", "converse")) == "eu-west-1"
    assert addresses.region_of(addresses.model("other", "converse")) == "us-west-2"
    assert addresses.region_of(addresses.tokens()) == "us-west-2"
