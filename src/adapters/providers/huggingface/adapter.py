"""Hugging Face Inference Providers: a router in front of many hosts, and its own inference for what is no chat.

Source: huggingface_hub 1.33 and 2.4, hub-docs pricing (read 2026-11). An error is a string; a spent month is a
402; a model that is loading says so with 503 and `estimated_time`. An endpoint of one's own speaks OpenAI's API.
"""

from typing import Final
from urllib.parse import quote

import httpx
import msgspec

from adapters.dialects.huggingface.params import EMBEDDING_FIDELITY, IMAGE_FIDELITY, TRANSCRIPTION_FIDELITY
from adapters.dialects.huggingface.tasks import HuggingFaceEmbeddings, HuggingFaceImages, HuggingFaceTranscriptions
from adapters.providers.base_url import endpoint, is_local
from adapters.providers.capability import Address, HttpCapability, fixed
from adapters.providers.detokenized import Detokenized
from adapters.providers.kind import PATHS, BuildContext, Entry
from adapters.providers.openai_compatible import adapter
from adapters.providers.openai_compatible.adapter import OpenAIParts
from adapters.providers.upstream import KeyHeaders
from domain.audio import TranscriptionRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.fidelity import Fidelity
from domain.images import ImageRequest
from domain.ports.providers import Capabilities

_ENDPOINTS: Final = ".endpoints.huggingface.cloud"
_FEATURES: Final = "/pipeline/feature-extraction"


def build(context: BuildContext) -> Capabilities:
    """Chat and responses by OpenAI's API; behind the router the other tasks by Hugging Face's own."""
    entry, base = context.entry, context.base
    of_ones_own = base.host.endswith(_ENDPOINTS) or is_local(base)
    paths = entry.addresses
    if of_ones_own:
        paths["embeddings"] = PATHS["embeddings"]

    def locate(name: str) -> Address | None:
        return fixed(endpoint(base, paths[name])) if name in paths else None

    headers = KeyHeaders(context.user_agent, entry.headers)
    parts = OpenAIParts(context, locate, headers)
    able = parts.capabilities(endpoint(base, "/models"))
    if of_ones_own:
        return able
    upstream = parts.upstream
    images: HttpCapability[ImageRequest] = HttpCapability(upstream, HuggingFaceImages(), _task(base), headers)
    heard: HttpCapability[TranscriptionRequest] = HttpCapability(
        upstream, HuggingFaceTranscriptions(), _task(base), headers
    )
    return msgspec.structs.replace(
        able,
        embeddings=Detokenized(HttpCapability(upstream, HuggingFaceEmbeddings(), _task(base, _FEATURES), headers)),
        images=images,
        transcriptions=heard,
    )


def fidelity(entry: Entry) -> dict[str, Fidelity]:
    """The parameter tables, by endpoint."""
    return {
        **adapter.fidelity(entry),
        "embeddings": EMBEDDING_FIDELITY,
        "images.generations": IMAGE_FIDELITY,
        "audio.transcriptions": TRANSCRIPTION_FIDELITY,
    }


def _task(base: httpx.URL, pipeline: str = "") -> Address:
    """A model's own address at the router, whatever host its id asks for (`org/model:host`)."""
    stem = endpoint(base, "/../hf-inference/models/").path

    def address(model: str, stream: bool) -> httpx.URL:  # noqa: ARG001 - an `Address`
        segments = model.partition(":")[0].split("/")
        if any(segment in {"", ".", ".."} for segment in segments):
            raise UpstreamFailure(
                FailureKind.MODEL_ABSENT, f"'{model}' is no model's id.", status=404, code="model_not_found"
            )
        path = "/".join(quote(segment, safe="") for segment in segments)
        return base.copy_with(raw_path=f"{stem}{path}{pipeline}".encode())

    return address
