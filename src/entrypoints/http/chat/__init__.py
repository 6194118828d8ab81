"""The chat app's API under `/api`: what belongs to the person who is signed in, and their conversations with models."""

from litestar import Controller

from entrypoints.http.chat.conversations import ConversationController
from entrypoints.http.chat.files import UPLOAD_FILE, FileController
from entrypoints.http.chat.images import GENERATE_IMAGE
from entrypoints.http.chat.models import ChatModelController
from entrypoints.http.chat.spending import ChatUsageController
from entrypoints.http.chat.templates import TemplateController
from entrypoints.http.chat.turns import REGENERATE, STREAM_CHAT, SUBMIT_CHAT
from entrypoints.http.inference.route import InferenceRoute

CONTROLLERS: tuple[type[Controller], ...] = (
    ConversationController,
    TemplateController,
    FileController,
    ChatModelController,
    ChatUsageController,
)

CHAT_ROUTES: tuple[InferenceRoute, ...] = (STREAM_CHAT, SUBMIT_CHAT, REGENERATE, GENERATE_IMAGE, UPLOAD_FILE)
"""Those that the edge serves itself: streams, and bodies of their own size."""
