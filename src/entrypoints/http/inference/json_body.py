"""A JSON body, decoded once: typed for policy, and its top-level fields as raw JSON to forward."""

import asyncio
import re
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from domain.errors import RequestInvalid
from domain.inference import InferenceRequest
from domain.payload import Payload
from entrypoints.http.edge.body import DECODE_ASIDE_BYTES, check_text
from entrypoints.http.edge.exchange import Exchange

R = TypeVar("R", bound=InferenceRequest)
_Fields = dict[str, msgspec.Raw]

_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode

_PLACE = re.compile(r" - at `(?P<kind>key in )?\$(?P<path>[^`]*)`$")
_INDEX = re.compile(r"\[(\d+)\]")
_MISSING = re.compile(r"^Object missing required field `(?P<name>[^`]+)`")
_TYPE = re.compile(r"^Expected `(?P<wanted>[^`]+)`, got `(?P<got>[^`]+)`$")


class JsonBody(Generic[R]):
    """Decodes one request type. `forgive` mends known client slips, once, or returns None where there are none."""

    def __init__(self, request: type[R], forgive: Callable[[_Fields], _Fields | None] | None = None) -> None:
        self._decode_request = msgspec.json.Decoder(request).decode
        self._forgive = forgive

    async def __call__(self, exchange: Exchange, body: bytes) -> Payload[R]:
        """Raises `RequestInvalid` for everything else. Large bodies are decoded in a thread.

        A model that the path names (Azure's deployments) stands for the one in the body.
        """
        if exchange.deployment:
            body = _of_deployment(body, exchange.deployment)
        if len(body) > DECODE_ASIDE_BYTES:
            return await asyncio.to_thread(self.decode, body)
        return self.decode(body)

    def decode(self, body: bytes) -> Payload[R]:
        """The same, here and now."""
        check_text(body)
        try:
            fields = _decode_fields(body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise complaint(error) from None
        try:
            return Payload(self._decode_request(body), fields, len(body))
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            return self._second_try(fields, len(body), error)

    def _second_try(self, fields: _Fields, size_bytes: int, first: Exception) -> Payload[R]:
        """Known client slips are mended, once; what is still wrong is told in terms of what was sent."""
        mended = None
        if self._forgive is not None and isinstance(first, msgspec.ValidationError):
            mended = self._forgive(fields)
        if mended is None:
            raise complaint(first) from None
        try:
            return Payload(self._decode_request(_encode(mended)), mended, size_bytes)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise complaint(error) from None


def _of_deployment(body: bytes, model: str) -> bytes:
    try:
        fields = _decode_fields(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return body  # what is wrong with it is told in its own words
    fields["model"] = msgspec.Raw(_encode(model))
    return _encode(fields)


def complaint(error: Exception) -> RequestInvalid:
    """What a decoder says, in OpenAI's codes and with the JSON path as `messages.0.role`."""
    if not isinstance(error, msgspec.ValidationError):
        return RequestInvalid(f"The body is not valid JSON: {error}.", code="invalid_json")
    text = str(error)
    place = _PLACE.search(text)
    reason = text[: place.start()] if place else text
    param = _path(place["path"]) if place else None
    if missing := _MISSING.match(reason):
        param = f"{param}.{missing['name']}" if param else missing["name"]
        return RequestInvalid(f"Missing required parameter: '{param}'.", code="missing_required_parameter", param=param)
    where = f"Invalid '{param}': " if param else "Invalid body: "
    if wrong := _TYPE.match(reason):
        message = f"{where}expected {_words(wrong['wanted'])}, got {_words(wrong['got'])}."
        return RequestInvalid(message, code="invalid_type", param=param)
    return RequestInvalid(f"{where}{reason[:1].lower()}{reason[1:].replace('`', '')}.", param=param)


def _path(path: str) -> str | None:
    """`.messages[0].role` as `messages.0.role`; places that are no name or index (`[...]`) are left out."""
    return _INDEX.sub(r".\1", path).replace("[...]", "").strip(".") or None


def _words(types: str) -> str:
    return types.replace(" | ", " or ")
