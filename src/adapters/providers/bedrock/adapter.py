"""Amazon Bedrock: chat by Converse for every model, embeddings, images and Claude's own messages by InvokeModel.

Source: botocore 1.44.5 service models, Amazon Bedrock user guide (read 2026-11). It bills an answer in full when the
reader goes away; set `on_disconnect` to `drain` to have its own figure in the books (R-02).
"""

import httpx
from typing_extensions import override

from adapters.constraints.conform import Conformer
from adapters.dialects.bedrock.converse import BedrockConverse
from adapters.dialects.bedrock.embeddings import BEDROCK_EMBEDDING_PARAMS, BedrockEmbedding
from adapters.dialects.bedrock.families import family_of
from adapters.dialects.bedrock.images import BEDROCK_IMAGE_PARAMS, BedrockImages
from adapters.dialects.bedrock.native_request import counted_model
from adapters.dialects.bedrock.params import CONVERSE_PARAMS
from adapters.ingress.carriers import estimated_token_counts, messages_over_chat
from adapters.providers.batched_embeddings import BatchedEmbeddings
from adapters.providers.bedrock.addresses import Addresses
from adapters.providers.bedrock.claude import BedrockClaudeCount, BedrockClaudeMessages, CountedOrEstimated
from adapters.providers.bedrock.identity import AwsIdentity
from adapters.providers.bedrock.model_lister import BedrockModels
from adapters.providers.bedrock.signer import AwsSigner
from adapters.providers.capability import HeaderSource, HttpCapability
from adapters.providers.detokenized import Detokenized
from adapters.providers.kind import BuildContext, Entry
from adapters.providers.upstream import HttpUpstream
from adapters.wire.chosen import Chosen, ChosenAnswering
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


def build(context: BuildContext) -> Capabilities:
    """Raises `RequestInvalid` for a region that is none."""
    settings = context.provider.settings
    addresses = Addresses(context.base, settings, context.variables)
    identity = AwsIdentity(context.variables)
    upstream = HttpUpstream(context.transport, context.timeouts, context.now, AwsSigner(identity, addresses.region_of))
    tokens = HttpUpstream(
        context.transport, context.timeouts, context.now, AwsSigner(identity, addresses.region_of, "sts")
    )
    headers = _Headers(context.user_agent)

    def converse(model: str, stream: bool) -> httpx.URL:
        return addresses.model(model, "converse-stream" if stream else "converse")

    def invoke(model: str, stream: bool) -> httpx.URL:  # noqa: ARG001 - an `Address`
        return addresses.model(model, "invoke")

    conformer = Conformer(context.entry.target, context.provider.id)
    chat: HttpCapability[ChatRequest] = HttpCapability(
        upstream, BedrockConverse(settings.drop_params), converse, headers, conformer
    )
    images: HttpCapability[ImageRequest] = HttpCapability(upstream, BedrockImages(), invoke, headers)
    messages, token_counts = _messages(context, upstream, addresses, headers, chat)
    return Capabilities(
        chat=chat,
        messages=messages,
        token_counts=token_counts,
        embeddings=Detokenized(BatchedEmbeddings(upstream, BedrockEmbedding(), invoke, headers)),
        images=images,
        models=BedrockModels(upstream, tokens, addresses, identity, headers.of(None), settings.models),
    )


def _messages(
    context: BuildContext,
    upstream: HttpUpstream,
    addresses: Addresses,
    headers: HeaderSource,
    chat: HttpCapability[ChatRequest],
) -> tuple[Chosen[MessagesRequest], ChosenAnswering[MessagesRequest]]:
    """Messages and their token counts: Claude's own, by InvokeModel; over chat and by estimate for the others."""
    drop = context.provider.settings.drop_params
    conformer = Conformer(context.entry.target, context.provider.id)

    def invoke(model: str, stream: bool) -> httpx.URL:
        return addresses.model(model, "invoke-with-response-stream" if stream else "invoke")

    def count(model: str, stream: bool) -> httpx.URL:  # noqa: ARG001 - an `Address`
        return addresses.model(counted_model(model), "count-tokens", asked_as=model)

    native: HttpCapability[MessagesRequest] = HttpCapability(
        upstream, BedrockClaudeMessages(drop), invoke, headers, conformer
    )
    asked: HttpCapability[MessagesRequest] = HttpCapability(
        upstream, BedrockClaudeCount(drop), count, headers, conformer
    )
    carried, estimated = messages_over_chat(chat, context.count_tokens), estimated_token_counts(context.count_tokens)
    counted = CountedOrEstimated(asked, estimated)
    return (
        Chosen(lambda call: native if family_of(call.model).is_claude else carried),
        ChosenAnswering(lambda call: counted if family_of(call.model).is_claude else estimated),
    )


def fidelity(entry: Entry) -> dict[str, Fidelity]:  # noqa: ARG001 - one table for all of them
    """The parameter tables, by endpoint."""
    return {
        "chat.completions": CONVERSE_PARAMS,
        "embeddings": BEDROCK_EMBEDDING_PARAMS,
        "images.generations": BEDROCK_IMAGE_PARAMS,
    }
