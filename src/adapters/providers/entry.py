"""One row of the registry: a provider as data."""

import msgspec

from adapters.dialects.openai.quirks import Quirks
from domain.providers import ProviderPreset


class Entry(msgspec.Struct, frozen=True):
    """What people see of a provider (`preset`), how it differs (`quirks`), and where its endpoints lie.

    Paths follow the base URL; a leading `..` takes its last segment away. `version_path` is appended to a
    base URL an operator gave without a version. `models_path` of None: it lists no models.
    """

    preset: ProviderPreset
    quirks: Quirks = Quirks()
    chat_path: str = "/chat/completions"
    models_path: str | None = "/models"
    version_path: str = "/v1"
    headers: tuple[tuple[str, str], ...] = ()  # fixed ones it asks for, besides the usual
