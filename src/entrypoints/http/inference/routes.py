"""The list of every inference route, and nothing else."""

from entrypoints.http.inference.chat import CHAT_COMPLETIONS
from entrypoints.http.inference.messages import COUNT_TOKENS_ROUTE, MESSAGES_ROUTE
from entrypoints.http.inference.models import GET_MODEL, LIST_MODELS
from entrypoints.http.inference.route import InferenceRoute
from entrypoints.http.inference.usage import GET_USAGE

INFERENCE_ROUTES: tuple[InferenceRoute, ...] = (
    CHAT_COMPLETIONS,
    MESSAGES_ROUTE,
    COUNT_TOKENS_ROUTE,
    LIST_MODELS,
    GET_MODEL,
    GET_USAGE,
)
