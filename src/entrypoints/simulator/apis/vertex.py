"""Vertex AI: Google's token endpoint, and the paths under which Gemini and Claude are published there.

Source: google-genai 3.4, docs.cloud.google.com on publishers and service accounts (read 2026-11).
"""

import base64
import binascii
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from typing_extensions import override

from entrypoints.simulator.answers import words_of
from entrypoints.simulator.apis import gemini
from entrypoints.simulator.apis.anthropic_messages import CountTokens, Messages
from entrypoints.simulator.apis.endpoint import Body, Call, Endpoint, Failure, Refused, encoded, objects
from entrypoints.simulator.apis.gemini_errors import GoogleEndpoint
from entrypoints.simulator.behaviour import Behaviour
from entrypoints.simulator.pictures import png_text
from entrypoints.simulator.vectors import DIMENSIONS, vector_of

_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_CLAUDE_VERSION = "vertex-2023-10-16"
_HOUR = 3600


class Token(GoogleEndpoint):
    """Gives a bearer for the signed claims of a service account, or for a refresh token. Signatures are not checked."""

    needs_model = False

    @override
    def check(self) -> None:
        form = {name: values[0] for name, values in parse_qs(self.call.body.decode("latin-1")).items()}
        if form.get("grant_type") == "refresh_token" and form.get("refresh_token"):
            return
        if form.get("grant_type") != _JWT_GRANT:
            self._refuse("unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type')}")
        wrong = _wrong_with(form.get("assertion", ""))
        if wrong is not None:
            self._refuse("invalid_grant", f"Invalid JWT: {wrong}")

    def _refuse(self, error: str, description: str) -> None:
        raise Refused(Failure(400, {"error": error, "error_description": description}))

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        token = f"ya29.sim-{self.call.number}"
        self.call.memory.tokens.add(token)
        return Body(encoded({"access_token": token, "expires_in": _HOUR - 1, "token_type": "Bearer"}))


def _wrong_with(assertion: str) -> str | None:
    parts = assertion.split(".")
    try:
        head, claims = (json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in parts[:2])
    except (ValueError, binascii.Error):
        return "it is not three parts of base64 and JSON"
    if len(parts) != 3 or not parts[2] or head.get("alg") != "RS256":
        return "it must be signed with RS256"
    if missing := [name for name in ("iss", "scope", "aud", "iat", "exp") if not claims.get(name)]:
        return f"claims are missing: {', '.join(missing)}"
    if not time.time() - 60 < claims["exp"] <= claims["iat"] + _HOUR:
        return "it must be a short-lived token (60 minutes) and in a reasonable timeframe"
    return None


def _need_token(endpoint: Endpoint) -> None:
    """Raise `Refused` unless the request carries an API key, or a bearer that the token endpoint gave out."""
    if "x-goog-api-key" not in endpoint.call.headers and endpoint.call.credential not in endpoint.call.memory.tokens:
        said = "Request had invalid authentication credentials. Expected OAuth 2 access token."
        body = {"error": {"code": 401, "message": said, "status": "UNAUTHENTICATED"}}
        raise Refused(Failure(401, body))


class VertexGenerate(gemini.GenerateContent):
    """Gemini's bodies; every content must name its role."""

    roles_needed = True

    @override
    def check(self) -> None:
        _need_token(self)
        super().check()


class VertexCount(gemini.CountTokens):
    """Gemini's count."""

    @override
    def check(self) -> None:
        _need_token(self)


class VertexClaude(Messages):
    """Anthropic's bodies without a model, and with the version in them."""

    @property
    @override
    def model(self) -> str:
        return self.call.captures["model"]

    @property
    @override
    def version(self) -> str:
        return str(self.fields.get("anthropic_version", ""))

    @override
    def check(self) -> None:
        _need_token(self)
        if "model" in self.fields:
            self.refuse("model: Extra inputs are not permitted")
        if self.version != _CLAUDE_VERSION:
            self.refuse(f'anthropic_version: Input should be "{_CLAUDE_VERSION}"')
        if self.streams() != (self.call.captures["verb"] == "streamRawPredict"):
            self.refuse("stream: must be true with streamRawPredict, and only there")
        super().check()


class VertexClaudeCount(CountTokens):
    """Anthropic's count, with the model in the body alone."""

    @property
    @override
    def version(self) -> str:
        return str(self.fields.get("anthropic_version", ""))

    @override
    def check(self) -> None:
        _need_token(self)
        super().check()


class VertexPredict(GoogleEndpoint):
    """`:predict`: vectors for instances with `content`, pictures for those with a `prompt`."""

    @property
    @override
    def model(self) -> str:
        return self.call.captures["model"]

    @override
    def check(self) -> None:
        _need_token(self)
        if not objects(self.call.fields.get("instances")):
            self.refuse("instances: at least one is needed")

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        given: Mapping[str, Any] = self.call.fields.get("parameters") or {}
        predictions: list[dict[str, Any]] = []
        for instance in objects(self.call.fields.get("instances")):
            if "prompt" in instance:
                predictions += [
                    {"bytesBase64Encoded": png_text(str(instance["prompt"]), number), "mimeType": "image/png"}
                    for number in range(int(given.get("sampleCount") or 1))
                ]
                continue
            text = str(instance.get("content", ""))
            counted = {"token_count": len(words_of(text)), "truncated": False}
            values = vector_of(text, given.get("outputDimensionality") or DIMENSIONS)
            predictions.append({"embeddings": {"values": values, "statistics": counted}})
        return Body(encoded({"predictions": predictions}))


def published(call: Call) -> Endpoint:
    """What answers for this publisher and this verb."""
    match call.captures["publisher"], call.captures["verb"]:
        case "google", "generateContent" | "streamGenerateContent":
            return VertexGenerate(call)
        case "google", "countTokens":
            return VertexCount(call)
        case "anthropic", "rawPredict" if call.captures["model"] == "count-tokens":
            return VertexClaudeCount(call)
        case "anthropic", "rawPredict" | "streamRawPredict":
            return VertexClaude(call)
        case "google", "predict":
            return VertexPredict(call)
        case _:
            return Unpublished(call)


class Unpublished(GoogleEndpoint):
    """No such publisher or verb."""

    needs_model = False

    @override
    def check(self) -> None:
        raise Refused(self.failure(404, "Publisher Model was not found."))
