"""Amazon Bedrock: chat by Converse for every model, embeddings, images and Claude's own messages by InvokeModel.

Source: botocore 1.44.5 service models, Amazon Bedrock user guide (read 2026-11). It bills an answer in full when the
reader goes away; set `on_disconnect` to `drain` to have its own figure in the books (R-02).
"""

import httpx
from typing_extensions import override

from adapters.dialects.bedrock.converse import BedrockConverse
from adapters.dialects.bedrock.embeddings import BEDROCK_EMBEDDING_PARAMS, BedrockEmbedding
from adapters.dialects.bedrock.families import family_of
from adapters.dialects.bedrock.images import BEDROCK_IMAGE_PARAMS, BedrockImages
from adapters.dialects.bedrock.native_request import counted_model
from adapters.dialects.bedrock.params import CONVERSE_PARAMS
from adapters.providers.batched_embeddings import BatchedEmbeddings
from adapters.providers.bedrock.claude import BedrockClaudeCount, BedrockClaudeMessages, CountedOrEstimated
from adapters.providers.bedrock.identity import AwsIdentity
from adapters.providers.bedrock.model_lister import BedrockModels
from adapters.providers.bedrock.places import Places
from adapters.providers.bedrock.signer import AwsSigner
from adapters.providers.by_model import AnsweringByModel, ByModel
from adapters.providers.capability import HeaderSource, HttpCapability
from adapters.providers.detokenized import Detokenized
from adapters.providers.entry import Entry
from adapters.providers.kind import Place
from adapters.providers.over_chat.carriers import estimated_token_counts, messages_over_chat
from adapters.providers.upstream import HttpUpstream
from domain.chat import ChatRequest
from domain.fidelity import Fidelity
from domain.images import ImageRequest
from domain.keys import ProviderKey
from domain.messages import MessagesRequest
from domain.ports.providers import Capabilities


class _Headers(HeaderSource):
    """The same for every key: credentials are the signer's. Source: boto3 names no type it accepts."""

    def __init__(self, user_agent: str) -> None:
        self._headers = httpx.Headers([(b"content-type", b"application/json"), (b"user-agent", user_agent.encode())])

    @override
    def of(self, key: ProviderKey | None) -> httpx.Headers:
        return self._headers


def build(place: Place) -> Capabilities:
    """Raises `RequestInvalid` for a region that is none."""
    settings = place.provider.settings
    places = Places(place.base, settings, place.variables)
    identity = AwsIdentity(place.variables)
    upstream = HttpUpstream(place.transport, place.timeouts, place.now, AwsSigner(identity, places.region_of))
    tokens = HttpUpstream(place.transport, place.timeouts, place.now, AwsSigner(identity, places.region_of, "sts"))
    headers = _Headers(place.user_agent)

    def converse(model: str, stream: bool) -> httpx.URL:
        return places.model(model, "converse-stream" if stream else "converse")

    def invoke(model: str, stream: bool) -> httpx.URL:  # noqa: ARG001 - an `Address`
        return places.model(model, "invoke")

    chat: HttpCapability[ChatRequest] = HttpCapability(
        upstream, BedrockConverse(settings.drop_params), converse, headers
    )
    images: HttpCapability[ImageRequest] = HttpCapability(upstream, BedrockImages(), invoke, headers)
    messages, token_counts = _messages(place, upstream, places, headers, chat)
    return Capabilities(
        chat=chat,
        messages=messages,
        token_counts=token_counts,
        embeddings=Detokenized(BatchedEmbeddings(upstream, BedrockEmbedding(), invoke, headers)),
        images=images,
        models=BedrockModels(upstream, tokens, places, identity, headers.of(None), settings.models),
    )


def _messages(
    place: Place, upstream: HttpUpstream, places: Places, headers: HeaderSource, chat: HttpCapability[ChatRequest]
) -> tuple[ByModel[MessagesRequest], AnsweringByModel[MessagesRequest]]:
    """Messages and their token counts: Claude's own, by InvokeModel; over chat and by estimate for the others."""
    drop = place.provider.settings.drop_params

    def invoke(model: str, stream: bool) -> httpx.URL:
        return places.model(model, "invoke-with-response-stream" if stream else "invoke")

    def count(model: str, stream: bool) -> httpx.URL:  # noqa: ARG001 - an `Address`
        return places.model(counted_model(model), "count-tokens", placed_as=model)

    native: HttpCapability[MessagesRequest] = HttpCapability(upstream, BedrockClaudeMessages(drop), invoke, headers)
    asked: HttpCapability[MessagesRequest] = HttpCapability(upstream, BedrockClaudeCount(drop), count, headers)
    carried, estimated = messages_over_chat(chat, place.count_tokens), estimated_token_counts(place.count_tokens)
    counted = CountedOrEstimated(asked, estimated)
    return (
        ByModel(lambda model, key: native if family_of(model).is_claude else carried),  # noqa: ARG005 - by the model
        AnsweringByModel(lambda model, key: counted if family_of(model).is_claude else estimated),  # noqa: ARG005
    )


def fidelity(entry: Entry) -> dict[str, Fidelity]:  # noqa: ARG001 - one table for all of them
    """The parameter tables, by endpoint."""
    return {
        "chat.completions": CONVERSE_PARAMS,
        "embeddings": BEDROCK_EMBEDDING_PARAMS,
        "images.generations": BEDROCK_IMAGE_PARAMS,
    }
