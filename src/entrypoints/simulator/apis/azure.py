"""Azure OpenAI: OpenAI's bodies under the paths of deployments, with content filters and Azure's own errors.

Source: openai-python 3.52 (`lib/azure.py`), learn.microsoft.com on content filters and errors (read 2026-11).
"""

import json
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, NoReturn

import msgspec
from typing_extensions import override

from entrypoints.simulator.apis.endpoint import Body, Call, Endpoint, Failure, Refused, encoded, event
from entrypoints.simulator.apis.openai_chat import Chat
from entrypoints.simulator.apis.openai_errors import OpenAIEndpoint
from entrypoints.simulator.behaviour import Behaviour

_SAFE = {"filtered": False, "severity": "safe"}
_FILTERS = dict.fromkeys(("hate", "self_harm", "sexual", "violence"), _SAFE)
_PROMPT_FILTERS = [{"prompt_index": 0, "content_filter_results": _FILTERS | {"jailbreak": {"filtered": False}}}]

_OPERATIONS = {
    "completions": ("openai_completions", "Completions"),
    "embeddings": ("openai_embeddings", "Embeddings"),
    "images/generations": ("openai_images", "Images"),
    "images/edits": ("openai_images", "ImageEdits"),
    "audio/speech": ("openai_audio", "Speech"),
    "audio/transcriptions": ("openai_audio", "Transcription"),
    "audio/translations": ("openai_audio", "Transcription"),
    "responses": ("openai_responses", "Responses"),
    "models": ("models", "ModelList"),
}
_DEPLOYED = frozenset(_OPERATIONS) - {"responses", "models"} | {"chat/completions"}


def azure(call: Call) -> Endpoint:
    """The operation, as Azure serves it: a deployment in the path stands for the model in the body."""
    operation, deployment = call.captures["operation"], call.captures.get("deployment")
    if not call.credential:
        return _Refusing(call, 401, "401", "Access denied due to invalid subscription key or wrong API endpoint.")
    classic = not call.path.startswith("openai/v1/")
    if classic and not call.query.get("api-version"):
        return _Refusing(call, 404, "404", "Resource not found")
    if deployment is not None and operation not in _DEPLOYED:
        return _Refusing(call, 404, "404", "Resource not found")
    if deployment is not None:
        call = msgspec.structs.replace(call, fields={**call.fields, "model": deployment})
    if operation.startswith("audio/"):
        call = msgspec.structs.replace(call, captures={**call.captures, "task": operation.removeprefix("audio/")})
    return AzureChat(call) if operation == "chat/completions" else _of(operation)(call)


def _of(operation: str) -> Callable[[Call], Endpoint]:
    """OpenAI's endpoint with Azure's errors."""
    module, name = _OPERATIONS[operation]
    kind: type[OpenAIEndpoint] = getattr(import_module(f"entrypoints.simulator.apis.{module}"), name)
    return type(f"Azure{name}", (AzureErrors, kind), {})


class AzureErrors(OpenAIEndpoint):
    """Azure's envelope: the code may be a number in quotes, and there is no type."""

    @property
    @override
    def model(self) -> str:
        return self.call.captures.get("deployment") or super().model

    @override
    def failure(
        self,
        status: int,
        message: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Failure:
        given = dict(headers or {})
        if status == 429 and "retry-after" in given:
            given["retry-after-ms"] = f"{float(given['retry-after']) * 1000:g}"
        said = message or f"Status {status}: scripted. Please retry after {given.get('retry-after', 'some')} seconds."
        found = "DeploymentNotFound" if code == "model_not_found" else code or str(status)
        error: dict[str, Any] = {"code": found, "message": said}
        return Failure(status, {"error": error}, given)

    @override
    def headers(self) -> dict[str, str]:
        limits = {"x-ratelimit-limit-requests": "100", "x-ratelimit-remaining-requests": "99"}
        more = {"apim-request-id": f"sim-{self.call.number}", "x-ms-region": "Simulated"}
        return {**limits, **more, "x-ratelimit-reset-requests": "10"}


class AzureChat(AzureErrors, Chat):
    """Chat with the verdicts of the content filters."""

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        self._filter(behaviour)
        body = json.loads(super().plain(behaviour).content)
        for choice in body["choices"]:
            choice["content_filter_results"] = _FILTERS
        return Body(encoded(body | {"prompt_filter_results": _PROMPT_FILTERS}))

    @override
    def blocks(self, behaviour: Behaviour) -> Iterable[bytes]:
        self._filter(behaviour)
        first = {"id": "", "object": "", "created": 0, "model": "", "choices": []}
        return [event(first | {"prompt_filter_results": _PROMPT_FILTERS}), *super().blocks(behaviour)]

    def _filter(self, behaviour: Behaviour) -> None:
        """Raise `Refused` where the prompt is filtered."""
        if behaviour.refusal is not None:
            raise Refused(Failure(400, _filtered(behaviour.refusal)))


class _Refusing(OpenAIEndpoint):
    """No key, no version, or no such operation."""

    needs_model = False

    def __init__(self, call: Call, status: int, code: str, message: str) -> None:
        super().__init__(call)
        self._failure = Failure(status, {"error": {"code": code, "message": message}})

    @override
    def check(self) -> NoReturn:
        raise Refused(self._failure)


def _filtered(explanation: str) -> dict[str, Any]:
    result = _FILTERS | {"violence": {"filtered": True, "severity": "high"}}
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": result}
    said = (
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."
        f" {explanation}"
    )
    error = {"message": said, "type": None, "param": "prompt", "code": "content_filter", "status": 400}
    return {"error": error | {"innererror": inner}}
