"""Which hosts go through a proxy, and what is a proxy's address."""

import httpx
import pytest

from adapters.transport.egress import Origin
from adapters.transport.proxy import Proxies, Proxy

PROXY = Proxy.of("http://user:s3cret-word@proxy.example:3128")


@pytest.mark.parametrize(
    ("entry", "url", "covered"),
    [
        ("*", "https://a.example", True),
        ("a.example", "https://a.example", True),
        ("a.example", "https://A.example.", True),
        ("a.example", "https://b.a.example", True),
        (".a.example", "https://a.example", True),
        ("*.a.example", "https://b.a.example", True),
        ("a.example", "https://nota.example", False),
        ("a.example:443", "https://a.example", True),
        ("a.example:443", "http://a.example", False),
        ("localhost", "http://localhost:8000", True),
        ("localhost", "http://127.0.0.1:8000", False),
        ("127.0.0.1", "http://127.0.0.1:8000", True),
        ("0.0.1", "http://127.0.0.1:8000", False),
        ("10.0.0.0/8", "http://10.1.2.3", True),
        ("10.0.0.0/8", "http://ten.example", False),
        ("10.0.0.0/99", "http://10.1.2.3", False),
        ("::1", "http://[::1]:8000", True),
        ("[::1]:8000", "http://[::1]:8000", True),
        ("[::1]:8001", "http://[::1]:8000", False),
        ("fd00::/8", "http://[fd00::1]", True),
        ("", "https://a.example", False),
        (".", "https://a.example", False),
    ],
)
def test_an_entry_of_the_list_covers_hosts(entry: str, url: str, covered: bool) -> None:
    assert (Proxies(PROXY, [entry]).to(Origin.of(httpx.URL(url))) is None) is covered


@pytest.mark.parametrize(
    "url",
    [
        "proxy.example:3128",
        "https://user:s3cret-word@proxy.example",
        "socks5://user:s3cret-word@proxy.example",
        "http://user:s3cret-word@",
        "http://user:s3cret-word@proxy.example:port",
        "http://user:s3cret-word@proxy.example/path",
        "http://user:s3cret-word@[::1",
        "http://user:s3cret-word@pro\nxy.example",
    ],
)
def test_what_is_no_proxy_is_refused_without_a_word_of_it(url: str) -> None:
    with pytest.raises(ValueError, match="proxy") as caught:
        Proxy.of(url)
    assert "s3cret-word" not in str(caught.value)


def test_no_text_form_of_a_proxy_shows_its_password() -> None:
    shown = f"{PROXY} {PROXY!r} {PROXY.name}"
    assert shown == "Proxy(proxy.example:3128) Proxy(proxy.example:3128) proxy.example:3128"
