"""The listening socket, as several workers share it."""

import pytest

from entrypoints.server import bind
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
