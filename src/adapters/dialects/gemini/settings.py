"""What differs between the places that speak Gemini's format."""

import re
from typing import Final

import msgspec

_VERSION: Final = re.compile(r"gemini-(\d+)(?:\.(\d+))?")
_OLDER_THAN_JSON_SCHEMA: Final = 2.5


class GeminiSettings(msgspec.Struct, frozen=True):
    """The defaults are those of the Gemini API.

    `json_schema`: takes JSON Schema as it is (`parametersJsonSchema`), from Gemini 2.5 on. `call_ids`: knows ids of
    function calls, from Gemini 3 on. `typed_files`: a file by address needs its media type. `drop` are parameters an
    operator wants left out.
    """

    json_schema: bool = True
    call_ids: bool = True
    typed_files: bool = False
    drop: tuple[str, ...] = ()


def generation(model: str) -> float:
    """2.5 for `models/gemini-2.5-flash`. A Gemini without a number is an alias of a new one (`gemini-flash-latest`)."""
    name = model.rpartition("/")[2].lower()
    found = _VERSION.match(name)
    if found is not None:
        return float(f"{found[1]}.{found[2] or 0}")
    return 3.0 if name.startswith("gemini") else 0.0


def takes_json_schema(settings: GeminiSettings, model: str) -> bool:
    return settings.json_schema and generation(model) >= _OLDER_THAN_JSON_SCHEMA
