"""Providers that answer from a script, and the registry that hands them out."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from typing_extensions import override

from adapters.providers.mock import MockChat
from adapters.tokens.length import LengthTokenCounter
from domain.availability import RateLimitWindow
from domain.background_responses import KeptState
from domain.chat import ChatRequest
from domain.errors import RequestInvalid, UpstreamFailure
from domain.failover import FailureKind
from domain.keys import ProviderKey
from domain.ports.providers import (
    CallProgress,
    Capabilities,
    ChatProvider,
    ImageProvider,
    KeptResponsesProvider,
    ModelLister,
    ProviderAnswer,
    ProviderCall,
    ProviderClient,
    ProviderRegistry,
    ProviderStream,
)
from domain.providers import KindDescription, Offering, Provider, ProviderPreset
from domain.routes import Mock
from domain.timeouts import Timeouts
from domain.usage import TokenUsage

FOREVER = "forever"
"""Scripted instead of an answer or a block: silence until cancelled."""


def failure(kind: FailureKind, **facts: object) -> UpstreamFailure:
    """A failure with a plain message."""
    return UpstreamFailure(kind, f"provider says {kind}", **facts)  # type: ignore[arg-type]  # facts are test data


class FakeStream(ProviderStream):
    """Yields its steps: blocks, failures to raise, or silence. Blocks that contain `content` count as content."""

    def __init__(self, *steps: bytes | UpstreamFailure | str, usage: TokenUsage | None = None) -> None:
        self._steps = steps
        self.model = "answered-by"
        self.usage = usage
        self.has_content = False
        self.output_bytes = 0
        self.limits: tuple[RateLimitWindow, ...] = ()
        self.dropped_params: tuple[str, ...] = ()
        self.closed = False
        self.ending = b"data: [DONE]\n\n"
        self.content_type = "text/event-stream; charset=utf-8"
        self.progress: CallProgress | None = None  # of the call that opened it
        self.kept_state: KeptState | None = None  # of a response that the provider keeps

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        for step in self._steps:
            if isinstance(step, UpstreamFailure):
                raise step
            if isinstance(step, str):
                await asyncio.Event().wait()
            else:
                if b"content" in step:
                    self.has_content = True
                    if self.progress is not None:
                        self.progress.content_received()
                yield step

    @override
    def output_text(self) -> str:
        return "hello world"

    @override
    def kept(self) -> KeptState | None:
        return self.kept_state

    @override
    async def aclose(self) -> None:
        self.closed = True


Step = UpstreamFailure | FakeStream | TokenUsage | str


class FakeChatProvider(ChatProvider):
    """Answers each call with the next step of its script; the last one repeats."""

    def __init__(self, *script: Step) -> None:
        self.script = list(script) or [TokenUsage(1, 2)]
        self.calls: list[ProviderCall[ChatRequest]] = []
        self.cancelled = 0

    @override
    async def complete(self, call: ProviderCall[ChatRequest]) -> ProviderAnswer:
        step = await self._step(call)
        assert isinstance(step, TokenUsage)
        return ProviderAnswer(b'{"object":"chat.completion"}', "answered-by", step)

    @override
    async def stream(self, call: ProviderCall[ChatRequest]) -> ProviderStream:
        step = await self._step(call)
        assert isinstance(step, FakeStream)
        call.progress.headers_received()
        step.progress = call.progress
        return step

    async def _step(self, call: ProviderCall[ChatRequest]) -> FakeStream | TokenUsage:
        self.calls.append(call)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, UpstreamFailure):
            raise step
        if isinstance(step, str):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        assert not isinstance(step, str)
        return step


class FakeLister(ModelLister):
    """Lists what it was given, or fails."""

    def __init__(self, models: Sequence[str] | UpstreamFailure) -> None:
        self.models = models
        self.calls = 0

    @override
    async def list_models(self, key: ProviderKey | None) -> Sequence[Offering]:
        self.calls += 1
        if isinstance(self.models, UpstreamFailure):
            raise self.models
        return [Offering(model) for model in self.models]


class FakeClient(ProviderClient):
    def __init__(self, capabilities: Capabilities) -> None:
        self._capabilities = capabilities
        self.closed = False

    @property
    @override
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @override
    async def aclose(self) -> None:
        self.closed = True


class FakeRegistry(ProviderRegistry):
    """Builds clients around the chat providers it was given by id. Kind `keyless` needs no key."""

    def __init__(
        self,
        chats: Mapping[str, ChatProvider | None] | None = None,
        listers: Mapping[str, ModelLister] | None = None,
        presets: Sequence[ProviderPreset] = (),
    ) -> None:
        self.chats = dict(chats or {})
        self.listers = dict(listers or {})
        self.images: dict[str, ImageProvider] = {}
        self.kept: dict[str, KeptResponsesProvider] = {}
        self._presets = presets
        self.built: list[FakeClient] = []

    @override
    def build(self, provider: Provider, timeouts: Timeouts) -> ProviderClient:
        self.check(provider)
        chat = self.chats[provider.id] if provider.id in self.chats else FakeChatProvider()
        images = self.images.get(provider.id)
        kept = self.kept.get(provider.id)
        listers = self.listers
        client = FakeClient(
            Capabilities(chat=chat, images=images, models=listers.get(provider.id), kept_responses=kept)
        )
        self.built.append(client)
        return client

    @override
    def mock(self, mock: Mock) -> ProviderClient:
        client = FakeClient(Capabilities(chat=MockChat(mock, LengthTokenCounter().count)))
        self.built.append(client)
        return client

    @override
    def check(self, provider: Provider) -> None:
        if provider.kind == "unknown":
            raise RequestInvalid("There is no provider kind 'unknown'.", param="kind")
        if provider.base_url is None and self.preset_for(provider) is None:
            raise RequestInvalid(f"Provider kind '{provider.kind}' needs a base_url.", param="base_url")

    @override
    def requires_key(self, provider: Provider) -> bool:
        return provider.kind != "keyless"

    @override
    def kinds(self) -> Sequence[KindDescription]:
        return [KindDescription("openai", "OpenAI", ("chat", "models"), {"model": "honored"}, tuple(self._presets))]

    @override
    def presets(self) -> Sequence[ProviderPreset]:
        return self._presets

    @override
    def preset_for(self, provider: Provider) -> ProviderPreset | None:
        return next(
            (preset for preset in self._presets if preset.id == (provider.settings.preset or provider.id)), None
        )
