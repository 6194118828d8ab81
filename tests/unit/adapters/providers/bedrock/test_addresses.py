"""Where requests to Bedrock go."""

import httpx
import pytest

from adapters.providers.bedrock.addresses import Addresses
from adapters.providers.kinds import ENTRIES
from domain.errors import RequestInvalid
from domain.providers import ProviderSettings

NO_REGION = next(entry for entry in ENTRIES if entry.id == "bedrock").preset.base_url
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


def addresses(base: str = NO_REGION, location: str | None = None, **variables: str) -> Addresses:
    return Addresses(httpx.URL(base), ProviderSettings(location=location), variables)


@pytest.mark.parametrize(
    ("found", "region"),
    [
        (addresses(), "us-east-1"),
        (addresses(AWS_DEFAULT_REGION="eu-west-1"), "eu-west-1"),
        (addresses(AWS_DEFAULT_REGION="eu-west-1", AWS_REGION="eu-west-3"), "eu-west-3"),
        (addresses(location="ap-northeast-1", AWS_REGION="eu-west-3"), "ap-northeast-1"),
        (addresses("https://bedrock-runtime.eu-north-1.amazonaws.com", AWS_REGION="eu-west-3"), "eu-north-1"),
        (addresses("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com"), "us-gov-west-1"),
        (addresses("https://vpce-1.bedrock-runtime.us-west-2.vpce.amazonaws.com", AWS_REGION="eu-west-3"), "us-west-2"),
        (addresses("http://127.0.0.1:9000/bedrock", AWS_REGION="eu-west-3"), "eu-west-3"),
    ],
)
def test_the_region_is_the_most_explicit_one(found: Addresses, region: str) -> None:
    assert found.region == region
    assert found.region_of(found.model(CLAUDE, "converse")) == region


def test_a_models_id_is_encoded_once_in_the_path() -> None:
    url = addresses().model(CLAUDE, "converse-stream")

    assert str(url) == (
        "https://bedrock-runtime.us-east-1.amazonaws.com"
        "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream"
    )
    assert addresses().model("arn:aws:bedrock:x:1:p/a", "invoke").raw_path == (
        b"/model/arn%3Aaws%3Abedrock%3Ax%3A1%3Ap%2Fa/invoke"
    )


def test_a_model_that_is_no_model_stays_inside_the_path() -> None:
    """S-07."""
    url = addresses().model("../../x?a=b#c", "invoke")

    assert url.host == "bedrock-runtime.us-east-1.amazonaws.com"
    assert url.raw_path == b"/model/..%2F..%2Fx%3Fa%3Db%23c/invoke"


def test_lists_and_identity_are_asked_elsewhere() -> None:
    found = addresses(location="eu-west-1")

    assert str(found.control("/foundation-models")) == "https://bedrock.eu-west-1.amazonaws.com/foundation-models"
    assert str(found.tokens()) == "https://sts.eu-west-1.amazonaws.com/"


def test_a_server_of_ones_own_answers_everything() -> None:
    found = addresses("http://127.0.0.1:9000/bedrock")

    assert str(found.model("m:0", "converse")) == "http://127.0.0.1:9000/bedrock/model/m%3A0/converse"
    assert str(found.control("/inference-profiles?a=1")) == "http://127.0.0.1:9000/bedrock/inference-profiles?a=1"
    assert str(found.tokens()) == "http://127.0.0.1:9000/bedrock/sts"


@pytest.mark.parametrize("region", ["evil.example/", "us-east-1.evil", "us east 1"])
def test_what_is_no_region_is_refused(region: str) -> None:
    """S-07."""
    with pytest.raises(RequestInvalid) as caught:
        addresses(location=region)

    assert caught.value.param == "settings.location"
