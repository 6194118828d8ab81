"""What holds for every test: it talks to nothing but loopback, and no busy machine makes it fail."""

import asyncio
import ipaddress
import socket
import sys
from collections.abc import Callable, Mapping

import pytest
from hypothesis import HealthCheck, settings
from pytest_rerunfailures import SocketDB, StatusDB  # type: ignore[import-untyped]  # it ships no types

from tests.virtual_time import VirtualTimeLoop

# An example takes as long as the machine lets it. The rest is Hypothesis' own: with CI set it draws the same each time.
settings.register_profile(
    "gateway", parent=settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("gateway")

OUT_OF_TIME = "from pytest-timeout"
"""What a test says that hung. It gets no second chance: the clock is not set for that, and it would hang for ever."""

RESERVED_SUFFIXES = (".example", ".invalid", ".test", ".localhost", ".local")


def _is_local(host: object) -> bool:
    if host in {None, "", b"", "localhost", b"localhost", "0.0.0.0", "::"}:  # listening anywhere is no call
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else str(host)).is_loopback
    except ValueError:
        return False


def _is_address(host: object) -> bool:
    try:
        ipaddress.ip_address(str(host))
    except ValueError:
        return False
    return True


def _loopback_only(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse the connection before a packet leaves; names reserved for documentation simply do not resolve."""
    if event == "socket.connect":
        address = arguments[1]
        if isinstance(address, tuple) and not _is_local(address[0]):
            raise RuntimeError(f"a test tried to connect to {address}; only loopback is allowed")
    elif event == "socket.getaddrinfo":
        host = arguments[0]
        if _is_local(host) or _is_address(host):
            return
        name = str(host.decode() if isinstance(host, bytes) else host).rstrip(".").lower()
        if name.endswith(RESERVED_SUFFIXES):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        raise RuntimeError(f"a test tried to resolve {host!r}; only loopback is allowed")


sys.addaudithook(_loopback_only)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Each test has one second chance: sockets, threads and other processes are at work in most of them.

    The summary names who took it (`-rR`): such a test is to be mended, but no reason to refuse a change.
    """
    if config.getoption("reruns", None) is not None:  # a marker would hold over what was asked for
        return
    _keep_counts_here(config)
    for item in items:
        item.add_marker(pytest.mark.flaky(reruns=1, rerun_except=[OUT_OF_TIME]))


def _keep_counts_here(config: pytest.Config) -> None:
    """A worker asks nobody how often a test has failed: two small writes to a socket and an answer take 40 ms a test.

    The first process would count for a worker that crashed, which ends its test as failed now.
    """
    counts = getattr(config, "failures_db", None)
    if hasattr(config, "workerinput") and isinstance(counts, SocketDB):
        counts.sock.close()
        config.failures_db = StatusDB()  # type: ignore[attr-defined]  # the plugin's own attribute


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """A test marked `virtual_time` runs where sleeping takes no time."""
    if item.get_closest_marker("virtual_time"):
        return {"virtual": VirtualTimeLoop}
    return {"real": asyncio.new_event_loop}
