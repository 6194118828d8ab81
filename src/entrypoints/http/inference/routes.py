"""The list of every inference route, and nothing else."""

from entrypoints.http.inference.chat import CHAT_COMPLETIONS
from entrypoints.http.inference.completions import CREATE_COMPLETION
from entrypoints.http.inference.embeddings import CREATE_EMBEDDINGS
from entrypoints.http.inference.images import CREATE_IMAGES
from entrypoints.http.inference.messages import COUNT_TOKENS_ROUTE, MESSAGES_ROUTE
from entrypoints.http.inference.models import GET_MODEL, LIST_MODELS
from entrypoints.http.inference.moderations import CREATE_MODERATION
from entrypoints.http.inference.responses import CREATE_RESPONSE
from entrypoints.http.inference.route import InferenceRoute
from entrypoints.http.inference.speech import CREATE_SPEECH
from entrypoints.http.inference.transcriptions import CREATE_TRANSCRIPTION
from entrypoints.http.inference.usage import GET_USAGE

INFERENCE_ROUTES: tuple[InferenceRoute, ...] = (
    CHAT_COMPLETIONS,
    CREATE_COMPLETION,
    CREATE_EMBEDDINGS,
    CREATE_IMAGES,
    CREATE_MODERATION,
    CREATE_SPEECH,
    CREATE_TRANSCRIPTION,
    CREATE_RESPONSE,
    MESSAGES_ROUTE,
    COUNT_TOKENS_ROUTE,
    LIST_MODELS,
    GET_MODEL,
    GET_USAGE,
)
