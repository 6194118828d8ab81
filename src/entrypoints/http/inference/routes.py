"""The list of every inference route, and nothing else."""

from entrypoints.http.inference.chat import CHAT_COMPLETIONS
from entrypoints.http.inference.completions import CREATE_COMPLETION
from entrypoints.http.inference.embeddings import CREATE_EMBEDDINGS
from entrypoints.http.inference.gemini import GEMINI_ROUTES
from entrypoints.http.inference.images import CREATE_IMAGES, EDIT_IMAGES
from entrypoints.http.inference.kept_responses import (
    CANCEL_RESPONSE,
    DELETE_RESPONSE,
    GET_RESPONSE,
    LIST_INPUT_ITEMS,
)
from entrypoints.http.inference.messages import COUNT_TOKENS_ROUTE, MESSAGES_ROUTE
from entrypoints.http.inference.models import GET_MODEL, LIST_MODELS
from entrypoints.http.inference.moderations import CREATE_MODERATION
from entrypoints.http.inference.rerank import RERANK_DOCUMENTS
from entrypoints.http.inference.responses import COUNT_RESPONSE_TOKENS, CREATE_RESPONSE
from entrypoints.http.inference.route import InferenceRoute
from entrypoints.http.inference.speech import CREATE_SPEECH
from entrypoints.http.inference.tasked_chat import TASKED_CHAT
from entrypoints.http.inference.transcriptions import CREATE_TRANSCRIPTION, CREATE_TRANSLATION
from entrypoints.http.inference.usage import GET_USAGE

INFERENCE_ROUTES: tuple[InferenceRoute, ...] = (
    CHAT_COMPLETIONS,
    TASKED_CHAT,
    CREATE_COMPLETION,
    CREATE_EMBEDDINGS,
    CREATE_IMAGES,
    EDIT_IMAGES,
    CREATE_MODERATION,
    RERANK_DOCUMENTS,
    CREATE_SPEECH,
    CREATE_TRANSCRIPTION,
    CREATE_TRANSLATION,
    CREATE_RESPONSE,
    COUNT_RESPONSE_TOKENS,
    GET_RESPONSE,
    DELETE_RESPONSE,
    CANCEL_RESPONSE,
    LIST_INPUT_ITEMS,
    MESSAGES_ROUTE,
    COUNT_TOKENS_ROUTE,
    *GEMINI_ROUTES,
    LIST_MODELS,
    GET_MODEL,
    GET_USAGE,
)
