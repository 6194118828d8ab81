"""Testing a provider as it is stored: one free call, or the smallest there is, and the result in words (S-16)."""

import asyncio

import msgspec
from typing_extensions import override

from application.admin.config_write import no_such_provider
from application.catalog import ModelDirectory
from application.inference.calls import key_id_of
from application.snapshot import GatewayState, LiveProvider
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.keys import ProviderKey
from domain.payload import Payload
from domain.ports.policies import AvailabilityPolicy
from domain.ports.providers import CallProgress, ChatProvider, ModelLister, ProviderCall
from domain.ports.runtime import Clock

TEST_TIMEOUT_SECONDS = 20.0
REPEAT_AFTER_SECONDS = 2.0
MAX_REMEMBERED = 1_000

_IN_WORDS = {
    FailureKind.CONNECT: "The provider cannot be reached. Check base_url and the network.",
    FailureKind.SERVER_ERROR: "The provider answered, but not in a way the gateway understands. Check base_url.",
    FailureKind.OVERLOADED: "The provider is overloaded at the moment.",
    FailureKind.RATE_LIMITED: "The key works, but is rate limited at the moment.",
    FailureKind.QUOTA_EXHAUSTED: "The key is known, but its quota or credit is used up.",
    FailureKind.INVALID_CREDENTIAL: "The provider refuses the key. Check that it is complete and still valid.",
    FailureKind.MODEL_ABSENT: "There is nothing at this address. Check base_url, and the default model if one is set.",
    FailureKind.OVER_ALLOWANCE: "The key works, but its credit or allowance is too small even for a test.",
    FailureKind.MODEL_BLOCKED: "The key works, but may not use the model. Check the default model.",
    FailureKind.UNEXPECTED_ANSWER: "What answered is not the provider's API, perhaps a proxy. Check base_url.",
    FailureKind.LOCAL_SHORTAGE: "The gateway's own machine is short of connections or memory.",
    FailureKind.TIMEOUT: "The provider did not answer in time.",
}


class ProviderCheckResult(msgspec.Struct, frozen=True):
    """`message` says what happened and what to do. `models` counts what the provider lists, where it was asked."""

    ok: bool
    message: str
    call: str  # `list_models`, `chat` or `none`
    duration_ms: float
    models: int | None = None
    status: int | None = None


class _Unwatched(CallProgress):
    """A test has one deadline for the whole call."""

    @override
    def headers_received(self) -> None:
        return None

    @override
    def bytes_received(self) -> None:
        return None

    @override
    def content_received(self) -> None:
        return None


class ProviderCheck:
    """Tests stored providers by id. Nothing of the request reaches the call.

    A good test makes the key available it was made with, and has the provider's refused keys asked again at once; from
    a bad one nothing is learned.

    Tests of one provider that come together, or within two seconds, share one call, so that the endpoint
    cannot be used to send more calls than a person would.
    """

    def __init__(
        self, state: GatewayState, directory: ModelDirectory, availability: AvailabilityPolicy, clock: Clock
    ) -> None:
        self._state = state
        self._directory = directory
        self._availability = availability
        self._clock = clock
        self._running: dict[tuple[str, int], asyncio.Task[ProviderCheckResult]] = {}
        self._recent: dict[tuple[str, int], tuple[float, ProviderCheckResult]] = {}

    async def run(self, provider_id: str) -> ProviderCheckResult:
        """Raises `NotFound` (`provider_not_found`)."""
        await self._state.reload_if_changed()
        live = self._state.current.by_id.get(provider_id)
        if live is None:
            raise no_such_provider(provider_id)
        which = (provider_id, self._state.generation)
        recent = self._recent.get(which)
        if recent is not None and self._clock.monotonic() - recent[0] < REPEAT_AFTER_SECONDS:
            return recent[1]
        task = self._running.get(which)
        if task is None:
            task = self._running[which] = asyncio.ensure_future(self._test(live))
            task.add_done_callback(lambda _: self._running.pop(which, None))
        result = await asyncio.shield(task)
        if len(self._recent) >= MAX_REMEMBERED:
            self._recent.clear()
        self._recent[which] = (self._clock.monotonic(), result)
        return result

    async def _test(self, live: LiveProvider) -> ProviderCheckResult:
        started = self._clock.monotonic()
        lease = live.lease
        if lease is None:
            return ProviderCheckResult(False, f"The provider cannot be used: {live.problem}", "none", 0.0)
        if live.requires_key and not live.keys:
            hint = f"There is no key to test with. Add one at /admin/providers/{live.provider.id}/keys."
            return ProviderCheckResult(False, hint, "none", 0.0)
        able = lease.acquire().capabilities
        call = "list_models" if able.models is not None else "chat"
        try:
            async with asyncio.timeout(TEST_TIMEOUT_SECONDS):
                ok, message, models = await self._ask(live, able.models, able.chat)
        except UpstreamFailure as failure:
            return self._failed(call, started, failure)
        except TimeoutError:
            return self._failed(call, started, UpstreamFailure(FailureKind.TIMEOUT, ""))
        finally:
            lease.release()
        if ok:
            ids = [key_id_of(live.provider.id, key) for key in live.keys or (None,)]
            self._availability.key_accepted(ids[0], ids)
        return ProviderCheckResult(ok, message, call if ok else "none", self._since(started), models)

    async def _ask(
        self, live: LiveProvider, lister: ModelLister | None, chat: ChatProvider | None
    ) -> tuple[bool, str, int | None]:
        key = live.keys[0] if live.keys else None
        if lister is not None:
            models = len(await lister.list_models(key))
            return True, f"The provider answered and lists {models} model{'' if models == 1 else 's'}.", models
        model = self._directory.default_model(live)
        if chat is None or model is None:
            return False, "There is no free call to make: set settings.default_model to test with a tiny chat.", None
        await chat.complete(_tiny_chat(model, key))
        return True, f"The provider answered a chat of one token with the model '{model}'.", None

    def _failed(self, call: str, started: float, failure: UpstreamFailure) -> ProviderCheckResult:
        words = _IN_WORDS.get(failure.kind, "The provider refused the call.")
        said = f" It said: {failure.message}" if failure.message else ""
        return ProviderCheckResult(False, words + said, call, self._since(started), None, failure.status)

    def _since(self, started: float) -> float:
        return round((self._clock.monotonic() - started) * 1000, 1)


def _tiny_chat(model: str, key: ProviderKey | None) -> ProviderCall[ChatRequest]:
    body = msgspec.json.encode(
        {"model": model, "messages": [{"role": "user", "content": "Hi"}], "max_completion_tokens": 1}
    )
    fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    payload = Payload(msgspec.json.decode(body, type=ChatRequest), fields, len(body))
    return ProviderCall(payload, model, key, include_usage=False, progress=_Unwatched())
