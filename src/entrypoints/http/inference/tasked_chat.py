"""`POST /v1/chat`: a chat by what it is for, without a word about models."""

from application.inference.calls import CHAT
from domain.chat import ChatCompletion, ChatRequest
from domain.chat_tolerance import forgive
from domain.tasked_chat import TaskedChatRequest
from entrypoints.http.inference.chat import CHAT_COMPLETIONS
from entrypoints.http.inference.json_body import JsonBody
from entrypoints.http.inference.route import InferenceRoute
from entrypoints.http.inference.serving import Serving

create_chat = Serving(decode=JsonBody[ChatRequest](TaskedChatRequest, forgive), answering=CHAT, streaming=CHAT)

TASKED_CHAT = InferenceRoute(
    path="/v1/chat",
    method="POST",
    operation_id="createChat",
    tag="Chat",
    summary="Chat with whichever model suits the task",
    description=(
        "Chat completions whose `model` may be left out: the gateway chooses by `task` (`chat`, `coding`, `reasoning`, "
        "`summarization`, `translation`, `image`, `agent_step`; left out, it reads it off the prompt), `priority` "
        "(`cost`, `balanced`, `quality`) and `latency` (`low`, `normal`, `relaxed`). The same as `model: auto` at "
        "`/v1/chat/completions`. The task `image` answers with a picture in the message: "
        '`images: [{"type": "image_url", "image_url": {"url": "data:…"}}]`. `x-omg-provider` and `x-omg-model` say who '
        "answered, `x-omg-task` what was read and how surely, `x-omg-decision` the decision."
    ),
    handler=create_chat,
    request=TaskedChatRequest,
    request_example={
        "messages": [{"role": "user", "content": "Prove that there are infinitely many primes."}],
        "task": "reasoning",
        "priority": "balanced",
        "latency": "normal",
    },
    response=ChatCompletion,
    response_example=CHAT_COMPLETIONS.response_example,
    streams=True,
)
