"""A Google that gives tokens and answers, at the wire, with a log of what it was asked."""

import asyncio
import base64
import json
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adapters.providers.registry import Registry
from domain.keys import ProviderKey
from domain.ports.providers import Capabilities
from domain.providers import ProviderSettings
from domain.secrets import Secret
from domain.timeouts import Timeouts
from tests.builders import a_provider, a_provider_key

TOKEN_URI = "https://oauth2.googleapis.com/token"
GEMINI = {
    "candidates": [{"index": 0, "content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2},
}
CLAUDE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 5, "output_tokens": 2},
}


@cache
def private_key() -> str:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def service_account(**changes: Any) -> dict[str, Any]:
    return {
        "type": "service_account",
        "project_id": "own-project",
        "private_key_id": "kid1",
        "private_key": private_key(),
        "client_email": "gateway@own-project.iam.gserviceaccount.com",
        "token_uri": TOKEN_URI,
        **changes,
    }


def a_key(value: object, key_id: str = "pk_1") -> ProviderKey:
    text = value if isinstance(value, str) else json.dumps(value)
    return a_provider_key(key_id, secret=Secret(text))


def claims(assertion: str) -> dict[str, Any]:
    """What a signed assertion says, its signature unseen."""
    middle = assertion.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return found


class Google:
    """`refusals` are answers to token requests, used up one by one before tokens are given."""

    def __init__(self, *, expires_in: int = 3600, answer: Any = GEMINI) -> None:
        self.token_requests: list[dict[str, str]] = []
        self.requests: list[httpx.Request] = []
        self.refusals: list[httpx.Response] = []
        self.unreachable = False
        self.clock = 1_000_000.0
        self.expires_in = expires_in
        self.answer = answer

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.unreachable:
            raise httpx.ConnectError("no route")
        if str(request.url) == TOKEN_URI:
            form = parse_qs((await request.aread()).decode())
            self.token_requests.append({name: values[0] for name, values in form.items()})
            await asyncio.sleep(0.01)
            if self.refusals:
                return self.refusals.pop(0)
            token = f"ya29.token-{len(self.token_requests)}"
            return httpx.Response(
                200, json={"access_token": token, "expires_in": self.expires_in, "token_type": "Bearer"}
            )
        await request.aread()
        self.requests.append(request)
        answer = self.answer(request) if callable(self.answer) else self.answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def capabilities(
        self, settings: ProviderSettings | None = None, *, base_url: str | None = None, **variables: str
    ) -> Capabilities:
        registry = Registry(lambda p, t: httpx.MockTransport(self), variables, now=lambda: self.clock)
        provider = a_provider("vertex", kind="vertex", base_url=base_url, settings=settings or ProviderSettings())
        return registry.build(provider, Timeouts()).capabilities

    @property
    def last(self) -> httpx.Request:
        return self.requests[-1]

    def sent(self) -> Any:
        return json.loads(self.last.content)
