"""Where on Vertex AI a model is: its host, its project and its location.

Source: google-genai 3.4, anthropic-python 2.11 (November 2026): a host for each region, one for `global`, one each for
the multi-regions `us` and `eu`; API keys of the express mode need no project.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

import httpx

from adapters.wire.sift import unsupported
from domain.errors import RequestInvalid
from domain.providers import ProviderSettings

PUBLIC_HOST: Final = "aiplatform.googleapis.com"

_LOCATION = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
_PROJECT = re.compile(r"[a-z0-9][a-z0-9.:-]{0,80}", re.IGNORECASE)
_MULTI_REGIONS: Final = frozenset({"us", "eu"})
_PREFIX = re.compile(r"^(?:publishers/)?(?:google|anthropic)/(?:models/)?")


class Addresses:
    """The addresses of one provider version. An operator's own base URL is kept for every location."""

    def __init__(self, base: httpx.URL, settings: ProviderSettings, variables: Mapping[str, str]) -> None:
        """Raises `RequestInvalid` for what is no project or location: they become part of an address."""
        self._base = base
        self._settings = settings
        self._project = settings.project or variables.get("GOOGLE_CLOUD_PROJECT") or None
        self._location = settings.location or variables.get("GOOGLE_CLOUD_LOCATION") or "global"
        _check(self._project, self._location, "settings")
        for model, own in settings.model_places.items():
            _check(own.project, own.location, f"settings.model_places.{model}")

    def method(self, model: str, publisher: str, method: str, own_project: str | None, as_model: str = "") -> httpx.URL:
        """The address of a model's method. `as_model` stands in the model's place.

        `own_project` is the key's: empty for one that Google bills without a project, None for one that does not say.
        Raises `UNSUPPORTED` where a project is needed and none is known.
        """
        name = plain_name(model)
        own = self._settings.model_places.get(model) or self._settings.model_places.get(name)
        project = (own.project if own is not None else None) or self._project or own_project
        location = (own.location if own is not None else None) or self._location
        path = f"publishers/{publisher}/models/{quote(as_model or name, safe='@')}:{method}"
        if project:
            path = f"projects/{quote(project, safe=':')}/locations/{location}/{path}"
        elif project is None or publisher != "google":
            raise unsupported("model", "say which project it is billed to: settings.project, or GOOGLE_CLOUD_PROJECT")
        query = "?alt=sse" if method == "streamGenerateContent" else ""
        base = self._base
        if base.host == PUBLIC_HOST:
            base = base.copy_with(host=_host(location if project else "global"))
        return base.copy_with(raw_path=f"{base.path.rstrip('/')}/{path}{query}".encode())


def plain_name(model: str) -> str:
    """Without what names its publisher."""
    return _PREFIX.sub("", model)


def is_claude(model: str) -> bool:
    return plain_name(model).startswith("claude")


def _host(location: str) -> str:
    if location == "global":
        return PUBLIC_HOST
    if location in _MULTI_REGIONS:
        return f"aiplatform.{location}.rep.googleapis.com"
    return f"{location}-{PUBLIC_HOST}"


def _check(project: str | None, location: str | None, param: str) -> None:
    if project is not None and not _PROJECT.fullmatch(project):
        raise RequestInvalid("A Google Cloud project is named by its id or its number.", param=f"{param}.project")
    if location is not None and not _LOCATION.fullmatch(location):
        raise RequestInvalid("A location is `global`, `us`, `eu` or a region: europe-west4.", param=f"{param}.location")
