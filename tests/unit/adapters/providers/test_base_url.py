"""Base URLs as people write them (contract 8)."""

import httpx
import pytest

from adapters.providers.base_url import base_url, endpoint, is_local
from adapters.providers.kind import Entry
from adapters.providers.kinds import ENTRIES
from domain.errors import RequestInvalid

KNOWN = {entry.id: entry for entry in ENTRIES}


@pytest.mark.parametrize(
    ("given", "entry", "resolved"),
    [
        ("https://host.example", KNOWN["custom"], "https://host.example/v1"),
        ("https://host.example/", KNOWN["custom"], "https://host.example/v1"),
        ("https://host.example/v1", KNOWN["custom"], "https://host.example/v1"),
        ("https://host.example/v1/", KNOWN["custom"], "https://host.example/v1"),
        (" https://host.example/v1/chat/completions ", KNOWN["custom"], "https://host.example/v1"),
        ("https://host.example/api/paas/v4", KNOWN["custom"], "https://host.example/api/paas/v4"),
        ("https://host.example/v1beta/openai", KNOWN["custom"], "https://host.example/v1beta/openai"),
        ("https://host.example/tenant", KNOWN["custom"], "https://host.example/tenant/v1"),
        ("http://127.0.0.1:8000", KNOWN["custom"], "http://127.0.0.1:8000/v1"),
        ("http://[::1]:8000/v1", KNOWN["custom"], "http://[::1]:8000/v1"),
        ("https://api.groq.com", KNOWN["groq"], "https://api.groq.com/openai/v1"),
        ("https://api.groq.com/openai", KNOWN["groq"], "https://api.groq.com/openai/v1"),
        ("https://openrouter.ai/api/v1/", KNOWN["openrouter"], "https://openrouter.ai/api/v1"),
        (
            "https://generativelanguage.googleapis.com/v1beta",
            KNOWN["gemini-openai"],
            "https://generativelanguage.googleapis.com/v1beta/openai",
        ),
        ("https://proxy.example/zai", KNOWN["zai"], "https://proxy.example/zai/v4"),
        (None, KNOWN["perplexity"], "https://api.perplexity.ai/"),
        (None, KNOWN["cloudflare"], "https://api.cloudflare.com/client/v4/accounts/acc0/ai/v1"),
    ],
)
def test_what_is_missing_is_added(given: str | None, entry: Entry, resolved: str) -> None:
    assert str(base_url(given, entry, {"CLOUDFLARE_ACCOUNT_ID": "acc0"})) == resolved


@pytest.mark.parametrize(
    ("given", "entry", "received"),
    [
        (None, KNOWN["custom"], "needs a base_url"),
        ("host.example/v1", KNOWN["custom"], "https://"),
        ("ftp://host.example", KNOWN["custom"], "https://"),
        ("https://", KNOWN["custom"], "https://"),
        ("https://user:secret@host.example", KNOWN["custom"], "user name"),
        ("https://host.example/v1?key=x", KNOWN["custom"], "no '?'"),
        ("https://host.example/v1#x", KNOWN["custom"], "no '?'"),
        ("https://[::1", KNOWN["custom"], "no URL"),
        ("https://host.example:port", KNOWN["custom"], "no URL"),
        (None, KNOWN["cloudflare"], "CLOUDFLARE_ACCOUNT_ID"),
    ],
)
def test_what_is_no_base_url_is_refused_with_a_reason(given: str | None, entry: Entry, received: str) -> None:
    with pytest.raises(RequestInvalid, match=received.replace("?", r"\?")) as caught:
        base_url(given, entry, {"CLOUDFLARE_ACCOUNT_ID": "../x"})

    assert caught.value.param == "base_url"


def test_paths_may_lie_beside_the_base_url() -> None:
    base = httpx.URL("https://h.example/ai/v1")

    assert str(endpoint(base, "/chat/completions")) == "https://h.example/ai/v1/chat/completions"
    assert str(endpoint(base, "/../models/search")) == "https://h.example/ai/models/search"
    assert str(endpoint(httpx.URL("https://h.example/"), "/models")) == "https://h.example/models"


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:1234", True),
        ("http://192.168.1.5/v1", True),
        ("http://[::1]/v1", True),
        ("http://ollama:11434", True),
        ("http://gpu.internal", True),
        ("https://api.openai.com", False),
        ("https://8.8.8.8", False),
    ],
)
def test_a_local_host_is_told_from_a_public_one(url: str, local: bool) -> None:
    assert is_local(httpx.URL(url)) is local


@pytest.mark.parametrize("host", ["169.254.169.254", "[fd00:ec2::254]", "0.0.0.0", "[::ffff:a9fe:a9fe]", "224.0.0.1"])
def test_a_metadata_or_reserved_address_is_refused_when_it_is_typed(host: str) -> None:
    """S-08: not only when it is called."""
    with pytest.raises(RequestInvalid, match="metadata") as caught:
        base_url(f"http://{host}/v1", KNOWN["custom"], {})
    assert caught.value.param == "base_url"
