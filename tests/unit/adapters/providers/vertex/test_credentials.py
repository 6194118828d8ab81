"""Whose requests to Vertex AI are: tokens asked for once, renewed in time, and nowhere but at Google."""

import asyncio
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from google.auth.exceptions import TransportError
from typing_extensions import override

from adapters.providers.vertex.google_calls import GoogleCalls, _metadata
from adapters.providers.vertex.stored_key import is_google
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.keys import ProviderKey
from domain.ports.providers import Capabilities, ProviderAnswer, ProviderCall
from tests.builders import a_chat_payload
from tests.contracts.providers.test_chat_providers import Progress
from tests.unit.adapters.providers.vertex.google import TOKEN_URI, Google, a_key, claims, service_account


async def ask(capabilities: Capabilities, key: ProviderKey | None) -> ProviderAnswer:
    assert capabilities.chat is not None
    call: ProviderCall[ChatRequest] = ProviderCall(a_chat_payload(), "gemini-2.5-flash", key, False, Progress())
    return await capabilities.chat.complete(call)


async def refused(google: Google, key: ProviderKey | None) -> UpstreamFailure:
    with pytest.raises(UpstreamFailure) as caught:
        await ask(google.capabilities(), key)
    if key is not None:
        assert key.secret.reveal() not in str(caught.value.__dict__)
    return caught.value


async def test_a_service_account_signs_for_a_token_which_then_goes_in_a_header() -> None:
    """S-21."""
    google = Google()

    await ask(google.capabilities(), a_key(service_account()))

    asked = google.token_requests[0]
    received = claims(asked["assertion"])
    assert asked["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert (received["iss"], received["aud"]) == ("gateway@own-project.iam.gserviceaccount.com", TOKEN_URI)
    assert received["scope"] == "https://www.googleapis.com/auth/cloud-platform"
    assert received["exp"] - received["iat"] <= 3600
    assert google.last.headers["authorization"] == "Bearer ya29.token-1"
    assert "token-1" not in str(google.last.url)


async def test_all_who_wait_share_one_fetch() -> None:
    google, key = Google(), a_key(service_account())
    capabilities = google.capabilities()

    await asyncio.gather(*(ask(capabilities, key) for _ in range(8)))

    assert len(google.token_requests) == 1
    assert len(google.requests) == 8


async def test_a_token_is_renewed_five_minutes_before_it_expires() -> None:
    google, key = Google(), a_key(service_account())
    capabilities = google.capabilities()

    await ask(capabilities, key)
    google.clock += 3600 - 320
    await ask(capabilities, key)
    assert len(google.token_requests) == 1

    google.clock += 30
    await ask(capabilities, key)

    assert len(google.token_requests) == 2
    assert google.last.headers["authorization"] == "Bearer ya29.token-2"


async def test_a_renewal_that_fails_is_forgiven_while_the_old_token_holds() -> None:
    google, key = Google(), a_key(service_account())
    capabilities = google.capabilities()
    await ask(capabilities, key)
    google.clock += 3400
    google.refusals = [httpx.Response(400, json={"error": "invalid_grant"}) for _ in range(2)]

    await ask(capabilities, key)
    assert google.last.headers["authorization"] == "Bearer ya29.token-1"

    google.clock += 200
    with pytest.raises(UpstreamFailure) as caught:
        await ask(capabilities, key)
    assert caught.value.kind is FailureKind.INVALID_CREDENTIAL


async def test_who_gives_up_waiting_does_not_take_the_token_from_others() -> None:
    google, key = Google(), a_key(service_account())
    capabilities = google.capabilities()

    first = asyncio.ensure_future(ask(capabilities, key))
    second = asyncio.ensure_future(ask(capabilities, key))
    await asyncio.sleep(0)
    first.cancel()

    await second
    with pytest.raises(asyncio.CancelledError):
        await first
    assert len(google.token_requests) == 1


async def test_each_key_has_tokens_of_its_own() -> None:
    google = Google()
    capabilities = google.capabilities()

    await ask(capabilities, a_key(service_account(), "pk_1"))
    await ask(capabilities, a_key(service_account(client_email="other@x.example"), "pk_2"))

    assert [claims(asked["assertion"])["iss"][:5] for asked in google.token_requests] == ["gatew", "other"]


async def test_a_persons_refresh_token_is_taken_too() -> None:
    google = Google()
    person = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "1//r"}

    await ask(google.capabilities(GOOGLE_CLOUD_PROJECT="billed"), a_key(person | {"quota_project_id": "quota"}))

    asked = google.token_requests[0]
    assert (asked["grant_type"], asked["refresh_token"]) == ("refresh_token", "1//r")
    assert google.last.headers["x-goog-user-project"] == "quota"
    assert "/projects/billed/" in google.last.url.path


async def test_an_api_key_of_the_express_mode_needs_no_token_and_no_project() -> None:
    """S-21."""
    google = Google()

    await ask(google.capabilities(), a_key("AIza-express-0123456789"))

    assert google.token_requests == []
    assert google.last.headers["x-goog-api-key"] == "AIza-express-0123456789"
    assert str(google.last.url) == (
        "https://aiplatform.googleapis.com/v1/publishers/google/models/gemini-2.5-flash:generateContent"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"token_uri": "https://evil.example/token"},
        {"token_uri": "http://oauth2.googleapis.com/token"},
        {"token_uri": "https://oauth2.googleapis.com.evil.example/token"},
        {"token_uri": "https://user@oauth2.googleapis.com/token"},
        {"token_uri": "https://oauth2.googleapis.com:8443/token"},
        {"token_uri": "http://169.254.169.254/token"},
        {"token_uri": 7},
        {"universe_domain": "evil.example"},
        {"type": "external_account", "token_url": "https://evil.example", "credential_source": {"file": "/etc/passwd"}},
        {"type": "impersonated_service_account"},
        {"type": None},
        {"private_key": "no key"},
        {"client_email": None, "private_key": None},
    ],
)
async def test_a_key_that_leads_elsewhere_is_never_followed(changes: dict[str, object]) -> None:
    """S-07: nothing is called, and the message does not show the key."""
    google = Google()

    failure = await refused(google, a_key(service_account(**changes)))

    assert failure.kind is FailureKind.INVALID_CREDENTIAL
    assert (google.token_requests, google.requests) == ([], [])


@pytest.mark.parametrize("value", ["{broken", '{"type"', "kéy", "a\r\nb"])
async def test_what_is_no_credential_is_refused(value: str) -> None:
    assert (await refused(Google(), a_key(value))).kind is FailureKind.INVALID_CREDENTIAL


async def test_a_refused_key_and_a_google_that_is_down_are_told_apart() -> None:
    google = Google()
    google.refusals = [httpx.Response(401, json={"error": "invalid_client", "error_description": "gone"})]

    assert (await refused(google, a_key(service_account()))).kind is FailureKind.INVALID_CREDENTIAL


async def test_a_token_endpoint_that_cannot_be_reached_is_no_fault_of_the_key() -> None:
    google = Google()
    google.unreachable = True

    assert (await refused(google, a_key(service_account()))).kind is FailureKind.CONNECT


async def test_a_file_named_in_the_settings_is_read_where_there_is_no_key(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(service_account()))
    google = Google()

    await ask(google.capabilities(GOOGLE_APPLICATION_CREDENTIALS=str(path), GOOGLE_CLOUD_PROJECT="p"), None)

    assert google.last.headers["authorization"] == "Bearer ya29.token-1"


async def test_the_machines_own_credentials_are_used_without_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(service_account()))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    google = Google()

    await ask(google.capabilities(GOOGLE_CLOUD_PROJECT="p"), None)

    assert "/projects/p/" in google.last.url.path
    assert google.last.headers["authorization"] == "Bearer ya29.token-1"


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        (TOKEN_URI, True),
        ("https://sts.googleapis.com/v1/token", True),
        ("https://googleapis.com.evil.example", False),
        ("https://evilgoogleapis.com", False),
        ("http://oauth2.googleapis.com", False),
        ("https://[::1", False),
        ("metadata", False),
    ],
)
def test_tokens_are_asked_for_at_google_alone(address: str, allowed: bool) -> None:
    assert is_google(address) is allowed


async def test_a_stored_key_never_reaches_the_metadata_server() -> None:
    calls = GoogleCalls(None, asyncio.get_running_loop(), machine=False)  # type: ignore[arg-type]  # it is not used

    with pytest.raises(UpstreamFailure, match="not Google's"):
        await asyncio.to_thread(calls, "http://metadata.google.internal/computeMetadata/v1/")


async def test_a_machine_without_credentials_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))

    with pytest.raises(UpstreamFailure, match="application default credentials") as caught:
        await ask(Google().capabilities(GOOGLE_CLOUD_PROJECT="p"), None)

    assert caught.value.kind is FailureKind.INVALID_CREDENTIAL


def test_the_metadata_server_is_read_and_its_absence_is_googles_to_hear() -> None:
    class Metadata(BaseHTTPRequestHandler):
        @override
        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

        def do_GET(self) -> None:
            received = json.dumps({"path": self.path, "flavor": self.headers["metadata-flavor"]}).encode()
            self.send_response(200)
            self.send_header("metadata-flavor", "Google")
            self.end_headers()
            self.wfile.write(received)

    with HTTPServer(("127.0.0.1", 0), Metadata) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/computeMetadata/v1/?recursive=true"
        response = _metadata(address, "GET", {"metadata-flavor": "Google"}, 5)
        server.shutdown()
        thread.join()

    assert json.loads(response.data) == {"path": "/computeMetadata/v1/?recursive=true", "flavor": "Google"}
    assert response.status == 200
    with pytest.raises(TransportError):
        _metadata(address, "GET", {}, 1)
