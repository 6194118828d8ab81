"""Providers behind a proxy that others wrote: proxy.py in a process of its own."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from adapters.transport.client import build_transport
from adapters.transport.egress import EgressGuard
from adapters.transport.limits import TransportLimits
from adapters.transport.proxy import Proxies, Proxy
from adapters.transport.tls import TlsFiles
from tests.contracts.conftest import Certificates
from tests.contracts.transport_servers import OK, always, read, send, upstream
from tests.foreign_environments import environment_of
from tests.waiting import wait_until

PASSWORD = "user:pa55word"


@pytest.fixture(scope="module")
def foreign_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its host and port; it asks for a password."""
    python = environment_of("proxy.py==2.4.10") / "python"
    port_file = tmp_path_factory.mktemp("proxy") / "port"
    command = [str(python), "-m", "proxy", "--hostname", "127.0.0.1", "--port", "0", "--port-file", str(port_file)]
    command += ["--num-workers", "1", "--num-acceptors", "1", "--basic-auth", PASSWORD, "--log-level", "e"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield f"127.0.0.1:{_port(port_file, process)}"
        finally:
            process.terminate()


def _port(file: Path, process: "subprocess.Popen[bytes]") -> int:
    wait_until(lambda: process.poll() is not None or (file.exists() and bool(file.read_text().strip())))
    if process.poll() is not None:
        pytest.skip("proxy.py does not run here")
    return int(file.read_text().split()[0])


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
async def test_a_provider_behind_a_foreign_proxy_answers(foreign_proxy: str, tmp_path: Path, tls: bool) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = Certificates(authority, "").server(authority.issue_cert("127.0.0.1")) if tls else None
    async with upstream(always(OK), tls=context) as server:
        proxies = Proxies(Proxy.of(f"http://{PASSWORD}@{foreign_proxy}"))
        guard = EgressGuard.for_provider(server.url())
        files = TlsFiles((str(tmp_path / "ca.pem"),))
        transport = build_transport("httptools", TransportLimits(), guard, tls=files, proxies=proxies)
        answers = [await read(await send(transport, server.url())) for _ in range(2)]
        await transport.aclose()

    assert answers == [b"ok", b"ok"]
    assert server.accepted == 1


async def test_a_foreign_proxy_that_refuses_the_password_is_named(foreign_proxy: str) -> None:
    proxies = Proxies(Proxy.of(f"http://user:wr0ng@{foreign_proxy}"))
    guard = EgressGuard.for_provider("http://127.0.0.1:9")
    transport = build_transport("httptools", TransportLimits(), guard, proxies=proxies)
    with pytest.raises(httpx.ProxyError, match=r"refused its user name or password \(HTTP 407\)"):
        await send(transport, "http://127.0.0.1:9/v1")
    await transport.aclose()
