"""Where Bedrock is: the addresses of a region's runtime, control plane and token service.

Source: botocore 1.44.5 endpoint data; the user guide on API keys and signing (read 2026-11): a model's id stands in the
path percent-encoded, colons and slashes too.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

import httpx

from domain.errors import RequestInvalid
from domain.providers import ProviderSettings

DEFAULT_REGION: Final = "us-east-1"

_NO_REGION: Final = "bedrock-runtime.amazonaws.com"
"""The host of the known provider's address: its region is filled in from the settings or the environment."""

_REGION: Final = re.compile(r"[a-z]{2}(?:-[a-z]+){1,2}-\d")
_RUNTIME: Final = re.compile(r"bedrock-runtime(?P<fips>-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com")
_AMAZON: Final = re.compile(r"(?:^|\.)(?P<region>[a-z]{2}(?:-[a-z]+){1,2}-\d)\.(?:vpce\.)?amazonaws\.com$")


class Addresses:
    """The addresses of one provider version. Raises `RequestInvalid` for a region that is none."""

    def __init__(self, base: httpx.URL, settings: ProviderSettings, variables: Mapping[str, str]) -> None:
        self._base = base
        self._is_amazons = base.host == _NO_REGION or _RUNTIME.fullmatch(base.host) is not None
        found = _AMAZON.search(base.host)
        configured = settings.location or variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION")
        self.region = _checked(found["region"] if found else configured or DEFAULT_REGION)
        self._regions = {model: _checked(own.location) for model, own in settings.model_places.items() if own.location}

    def model(self, model: str, operation: str, asked_as: str = "") -> httpx.URL:
        """Where a model is asked: `converse`, `invoke`, …; in the region of the name it was asked by, if another."""
        base = self._runtime(self._regions.get(asked_as or model, self.region))
        path = f"{base.path.rstrip('/')}/model/{quote(model, safe='')}/{operation}"
        return base.copy_with(raw_path=path.encode("ascii"))

    def control(self, path: str) -> httpx.URL:
        """Where models are listed."""
        base = httpx.URL(f"https://bedrock.{self.region}.amazonaws.com") if self._is_amazons else self._base
        return base.copy_with(raw_path=(base.path.rstrip("/") + path).encode("ascii"))

    def tokens(self) -> httpx.URL:
        """Where STS says whose credential it is."""
        return httpx.URL(f"https://sts.{self.region}.amazonaws.com/") if self._is_amazons else self.control("/sts")

    def region_of(self, url: httpx.URL) -> str:
        """The region a request to this address is signed for."""
        found = _AMAZON.search(url.host)
        return found["region"] if found else self.region

    def _runtime(self, region: str) -> httpx.URL:
        if not self._is_amazons:
            return self._base
        fips = "-fips" if "-fips" in self._base.host else ""
        return httpx.URL(f"https://bedrock-runtime{fips}.{region}.amazonaws.com")


def _checked(region: str) -> str:
    if not _REGION.fullmatch(region):
        raise RequestInvalid(f"'{region}' is no AWS region, such as us-east-1.", param="settings.location")
    return region
