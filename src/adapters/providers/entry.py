"""One row of the registry: a provider as data."""

from typing import Final

import msgspec

from adapters.dialects.openai.quirks import EndpointQuirks, Quirks
from domain.providers import ProviderPreset

PATHS: Final = {
    "completions": "/completions",
    "embeddings": "/embeddings",
    "images.generations": "/images/generations",
    "audio.speech": "/audio/speech",
    "audio.transcriptions": "/audio/transcriptions",
    "moderations": "/moderations",
    "responses": "/responses",
}
"""Where OpenAI has its endpoints, besides chat and the list of models."""


def also(*endpoints: str) -> dict[str, str]:
    """These endpoints, where OpenAI has them."""
    return {endpoint: PATHS[endpoint] for endpoint in endpoints}


class Entry(msgspec.Struct, frozen=True):
    """What people see of a provider (`preset`), how it differs (`quirks`), and where its endpoints lie.

    Paths follow the base URL; a leading `..` takes its last segment away. `version_path` is appended to a
    base URL an operator gave without a version. `models_path` of None: it lists no models. `paths` names the
    endpoints it has besides chat and models.
    """

    preset: ProviderPreset
    quirks: Quirks = Quirks()
    chat_path: str = "/chat/completions"
    models_path: str | None = "/models"
    version_path: str = "/v1"
    headers: tuple[tuple[str, str], ...] = ()  # fixed ones it asks for, besides the usual
    paths: dict[str, str] = {}  # by endpoint
    endpoint_quirks: dict[str, EndpointQuirks] = {}  # by endpoint
