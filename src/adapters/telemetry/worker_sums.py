"""What each worker behind one port has counted, in files of a folder of theirs: whoever is asked adds them up.

A file is replaced whole, once a second. That of a worker that is no more stays, so that no count ever goes back; the
folder belongs to one supervisor, and begins and ends with it.
"""

import os
import shutil
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from typing_extensions import override

from domain.metrics import Cells, Readings, counters_of
from domain.ports.telemetry import SiblingReadings

SUFFIX: Final = ".counted"
STALE_SECONDS: Final = 86_400.0
"""How long the folder of a supervisor that was killed is left, in which no file was written."""


class _Counted(msgspec.Struct, frozen=True):
    """What a worker has counted. Labels are lists here: a map of this format has no tuples for keys."""

    process: int
    readings: dict[str, list[tuple[tuple[str, ...], list[float]]]]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Counted).decode


def folder_of(data_dir: Path, supervisor: int) -> Path:
    """The folder of the workers of one supervisor: containers may share the data folder, and their numbers."""
    return data_dir / "metrics" / f"{socket.gethostname()}-{supervisor}"


def begin(folder: Path, *, go_on: bool = False) -> None:
    """A supervisor starts: nothing is counted yet, unless it goes on; what others left long ago is gone."""
    if not go_on:
        shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        for other in folder.parent.iterdir():
            newest = max((each.stat().st_mtime for each in (other, *other.iterdir())), default=0.0)
            if time.time() - newest > STALE_SECONDS:
                shutil.rmtree(other, ignore_errors=True)


def end(folder: Path) -> None:
    """The supervisor ends, with all its workers."""
    shutil.rmtree(folder, ignore_errors=True)


class WorkerSums(SiblingReadings):
    """One worker's file, and its siblings'. `worker` is an id that no other has, before or after."""

    def __init__(self, folder: Path, worker: str) -> None:
        self._folder = folder
        self._own = folder / f"{worker}{SUFFIX}"

    @override
    def write(self, own: Readings) -> None:
        counted = _Counted(os.getpid(), {name: list(cells.items()) for name, cells in own.items()})
        self._folder.mkdir(parents=True, exist_ok=True)
        written = self._own.with_suffix(".new")
        written.write_bytes(_encode(counted))
        written.replace(self._own)

    @override
    def others(self) -> Sequence[Readings]:
        found: list[Readings] = []
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            if path == self._own:
                continue
            try:
                counted = _decode(path.read_bytes())
            except (OSError, msgspec.DecodeError):  # gone, or of another version
                continue
            readings: Readings = {name: _cells(cells) for name, cells in counted.readings.items()}
            found.append(readings if _lives(counted.process) else counters_of(readings))
        return found


def _cells(items: list[tuple[tuple[str, ...], list[float]]]) -> Cells:
    return dict(items)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
