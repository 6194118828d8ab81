"""How a supervisor becomes the next version of itself: one process, one listening socket, two versions of the code.

On SIGHUP it has its own command run once more by a child, a rehearsal, in which the version that is installed by then
loads its settings and looks at the database. Where that goes well the supervisor replaces itself by `exec`: it keeps
its process id, its socket and its children, and what it knows of these goes along in an environment variable.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from domain.errors import StoreUnavailable
from entrypoints.settings.model import Settings, SettingsError

log = logging.getLogger(__name__)

REHEARSAL_SECONDS: Final = 120.0
"""What the installed version may take to load its settings and to look at the database."""

_VARIABLE: Final = "OPEN_MODEL_GATEWAY_HANDOVER"  # without the prefix of settings: it is none
_REHEARSAL: Final = "rehearsal"


class Handover(msgspec.Struct, frozen=True):
    """What the next version takes over. Descriptors of the socket, and of what tells workers that their supervisor
    lives; the process ids of its workers.
    """

    listener: int
    alive: tuple[int, ...]
    workers: tuple[int, ...]


class AdoptedWorker:
    """A worker that this process started when it still ran the version before: a child, known by its number."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.exitcode: int | None = None

    def is_alive(self) -> bool:
        """Whether it runs. Takes its exit code where it has ended."""
        return not self._ended(os.WNOHANG)

    def terminate(self) -> None:
        if self.is_alive():
            os.kill(self.pid, signal.SIGTERM)

    def join(self, timeout: float | None = None) -> None:  # noqa: ARG002 - as multiprocessing has it; it is not used
        """Wait until it has ended."""
        self._ended(0)

    def _ended(self, options: int) -> bool:
        if self.exitcode is not None:
            return True
        try:
            pid, status = os.waitpid(self.pid, options)
        except ChildProcessError:  # a signal's handler, which ran meanwhile, has taken its code
            return True
        self.exitcode = os.waitstatus_to_exitcode(status) if pid else None
        return bool(pid)


def is_rehearsal() -> bool:
    """Whether this process is to try the start, and nothing more."""
    return os.environ.get(_VARIABLE) == _REHEARSAL


def received() -> Handover | None:
    """What the version before left to this one; None in a start of its own. Ask once."""
    given = os.environ.pop(_VARIABLE, None)
    return msgspec.json.decode(given, type=Handover) if given is not None else None


def rehearse(settings: Settings) -> int:
    """The exit code of a rehearsal: 0 where the workers of the version before may stay until they are replaced."""
    from entrypoints.ioc.persistence import plan_upgrade

    try:
        plan = asyncio.run(plan_upgrade(settings))
    except (SettingsError, StoreUnavailable) as error:
        sys.stderr.write(f"omg: {error}\n")
        return 1
    if not plan.running_may_stay:
        sys.stderr.write("omg: its migrations take away what the running version uses: see 'omg db upgrade --plan'\n")
        return 1
    return 0


def next_version_starts() -> bool:
    """Have the installed version rehearse; what it says of a failure goes where this process says things."""
    import subprocess  # a worker, which is forked from this process, needs none of it

    try:
        done = subprocess.run(  # noqa: S603 - its own command line
            _command(),
            env=_environment(_REHEARSAL),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            timeout=REHEARSAL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        reason, code = str(error), None
    else:
        reason, code = "", done.returncode
    if code != 0:
        log.error("the installed version does not start; this one goes on", extra={"error": reason, "code": code})
    return code == 0


def become_next_version(handover: Handover) -> NoReturn:
    """Replace this process's code. Raises `OSError` where the command is gone, and nothing has changed then."""
    for descriptor in (handover.listener, *handover.alive):
        os.set_inheritable(descriptor, True)
    command = _command()
    environment = _environment(msgspec.json.encode(handover).decode())
    os.execve(command[0], command, environment)  # noqa: S606 - its own command line


def _environment(handover: str) -> Mapping[str, str]:
    return os.environ | {_VARIABLE: handover}


def _command() -> list[str]:
    """As this process was started. A script names its interpreter itself: an update may have given it another."""
    script = Path(sys.argv[0]).absolute()  # not resolved: a link may lead elsewhere by now
    if script.is_file() and os.access(script, os.X_OK):
        return [str(script), *sys.argv[1:]]
    return [sys.executable, *sys.orig_argv[1:]]
