"""`POST /v1/completions`."""

import msgspec
from msgspec import UNSET, UnsetType

from application.inference.calls import COMPLETIONS
from domain.chat import CompletionUsage
from domain.completions import CompletionRequest
from entrypoints.http.inference.json_body import JsonBody
from entrypoints.http.inference.route import InferenceRoute
from entrypoints.http.inference.serving import Serving


class CompletionChoice(msgspec.Struct):
    index: int
    text: str
    finish_reason: str | None
    logprobs: dict[str, msgspec.Raw] | None = None


class Completion(msgspec.Struct):
    """A plain answer. Fields the provider adds are kept on the wire."""

    id: str
    created: int
    model: str
    choices: list[CompletionChoice]
    object: str = "text_completion"
    usage: CompletionUsage | UnsetType | None = UNSET


create_completion = Serving(decode=JsonBody(CompletionRequest), answering=COMPLETIONS, streaming=COMPLETIONS)

CREATE_COMPLETION = InferenceRoute(
    path="/v1/completions",
    method="POST",
    operation_id="createCompletion",
    tag="Completions",
    summary="Complete a text",
    description=(
        "OpenAI's legacy completions. A provider that has chat alone serves them too: each prompt becomes one user "
        "message. With `stream: true` the answer is a stream of server-sent events, `data: [DONE]` last."
    ),
    handler=create_completion,
    request=CompletionRequest,
    request_example={"model": "auto", "prompt": "Once upon a time", "max_tokens": 16},
    response=Completion,
    response_example={
        "id": "cmpl-7QyqpwdfhqwajicIEznoc6Q47XAyW",
        "object": "text_completion",
        "created": 1795262400,
        "model": "gpt-oss-120b",
        "choices": [{"index": 0, "text": " there was a gateway.", "finish_reason": "stop", "logprobs": None}],
        "usage": {"prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 10},
    },
    streams=True,
    stream_example=(
        'data: {"id":"cmpl-1","object":"text_completion","created":1795262400,"model":"m",'
        '"choices":[{"index":0,"text":" there","finish_reason":null,"logprobs":null}]}\n\n'
        "data: [DONE]\n\n"
    ),
)
