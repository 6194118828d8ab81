"""The chat of `POST /v1/chat`: no model need be named, for the task says which would do."""

from domain.chat import ChatRequest
from domain.inference import ModelName
from domain.routing import AUTO_MODEL


class TaskedChatRequest(ChatRequest, kw_only=True):
    """Chat completions' body. `task`, `priority` and `latency` are the gateway's own, and no provider sees them."""

    model: ModelName = AUTO_MODEL
