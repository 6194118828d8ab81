"""`POST /v1/chat/completions`."""

from application.inference.calls import CHAT
from domain.chat import ChatCompletion, ChatRequest
from domain.chat_tolerance import forgive
from entrypoints.http.inference.json_body import JsonBody
from entrypoints.http.inference.route import InferenceRoute
from entrypoints.http.inference.serving import Serving

create_chat_completion = Serving(decode=JsonBody(ChatRequest, forgive), answering=CHAT, streaming=CHAT)

CHAT_COMPLETIONS = InferenceRoute(
    path="/v1/chat/completions",
    method="POST",
    operation_id="createChatCompletion",
    tag="Chat",
    summary="Complete a chat",
    description=(
        "OpenAI's chat completions, served by whichever provider can. With `stream: true` the answer is a stream of "
        "server-sent events, `data: [DONE]` last. `model` is `provider/model`, a bare model id, or `auto`; `models` "
        "lists further candidates. Fields the gateway does not know are forwarded."
    ),
    handler=create_chat_completion,
    request=ChatRequest,
    request_example={
        "model": "auto",
        "messages": [
            {"role": "system", "content": "You are brief."},
            {"role": "user", "content": "Name a prime above ten."},
        ],
        "max_completion_tokens": 64,
    },
    response=ChatCompletion,
    response_example={
        "id": "chatcmpl-7QyqpwdfhqwajicIEznoc6Q47XAyW",
        "object": "chat.completion",
        "created": 1795262400,
        "model": "gpt-oss-120b",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "11", "refusal": None},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
        "usage": {"prompt_tokens": 21, "completion_tokens": 1, "total_tokens": 22},
    },
    streams=True,
)
