"""The listening socket, as several workers share it, and the signals that end a server."""

import signal
import sys

import pytest
import uvicorn

from entrypoints.app import GatewayProcess
from entrypoints.server import GatewayServer, bind
from entrypoints.settings.model import Settings, SettingsError


def test_the_listening_socket_stays_unblocking_when_a_worker_duplicates_it() -> None:
    """The flag is the socket's, not the process's: a worker that set it would stop its siblings in `accept`."""
    with bind(Settings(port=0)) as listener, listener.dup() as duplicate:
        assert not listener.getblocking()
        assert not duplicate.getblocking()


def test_an_address_that_is_taken_is_named_with_what_to_do() -> None:
    with bind(Settings(port=0)) as listener:
        port = listener.getsockname()[1]

        with pytest.raises(SettingsError, match=rf"OMG_PORT: cannot listen on 127\.0\.0\.1:{port}: .*--port"):
            bind(Settings(port=port))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGHUP")
@pytest.mark.parametrize(("before", "stops"), [(signal.SIG_DFL, True), (signal.SIG_IGN, False)], ids=["alone", "nohup"])
def test_a_process_that_is_hung_up_stops_as_it_is_asked_to_unless_it_was_started_to_go_on(
    before: signal.Handlers, stops: bool
) -> None:
    settings = Settings()
    app = GatewayProcess(settings)
    server = GatewayServer(uvicorn.Config(app, log_config=None), app, settings, lambda: None)
    found = signal.signal(signal.SIGHUP, before)

    try:
        with server.capture_signals():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, found)

    assert server.should_exit is stops
