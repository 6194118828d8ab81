"""How long a start takes when a process has left a full spool behind, and its replay: `python -m bench.replay`.

The spool of a process that was killed is made by the ledger's own writer; the gateway must answer within 30 s of its
start (P-37) and books the records while it serves.
"""

import argparse
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from adapters.ledger.ownership import OwnDirectory
from adapters.ledger.spool import Spool
from bench import targets
from bench.ledger_cost import records
from bench.processes import Cores, Measured

READY_SECONDS = 30.0
REPLAY_SECONDS = 600.0


def main(arguments: list[str]) -> int:
    """The exit code: 0 where the start was quick enough and no record is missing."""
    parser = argparse.ArgumentParser(prog="python -m bench.replay", description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000, help="in the spool, a start and an end a request")
    requests = parser.parse_args(arguments).records // 2
    cores = Cores()
    with tempfile.TemporaryDirectory(prefix="omg-replay-") as name:
        folder = Path(name)
        direct, upstream = targets.upstream(cores, folder)
        try:
            _start(cores, folder, direct.port).stop()  # makes the database
            before = _booked(folder)
            size = _leave_behind(folder / "data" / "spool", requests)
            print(f"a spool of {2 * requests:,} records, {size / 2**20:.0f} MiB")
            began = time.perf_counter()
            server = _start(cores, folder, direct.port)
            ready = time.perf_counter() - began
            try:
                missing = _wait(folder, before + requests)
                print(f"ready after {ready:.1f} s (at most {READY_SECONDS:.0f})")
                print(f"replayed after {time.perf_counter() - began:.0f} s; {missing} requests missing")
                print(f"memory afterwards: {server.rss_mib():.0f} MiB")
            finally:
                server.stop()
        finally:
            upstream.stop()
    return 0 if ready <= READY_SECONDS and not missing else 1


def _start(cores: Cores, folder: Path, upstream_port: int) -> Measured:
    """The gateway, ready: it has answered a request."""
    server = targets.gateway(cores, folder, upstream_port, targets.own_omg()).server
    assert server is not None
    return server


def _leave_behind(root: Path, requests: int) -> int:
    """Write what a process leaves that is killed; returns its bytes."""
    directory = OwnDirectory(root, "killed")
    spool = Spool(directory)
    for number in range(requests):
        start, _, end = records(number)
        spool.start(start)
        spool.end(end)
    size = sum(extent.length for extent in spool.extents)
    spool.close()
    directory.release()
    return size


def _wait(folder: Path, wanted: int) -> int:
    """How many are missing when all are there, or when `REPLAY_SECONDS` are over."""
    deadline = time.perf_counter() + REPLAY_SECONDS
    while (missing := max(0, wanted - _booked(folder))) and time.perf_counter() < deadline:
        time.sleep(1)
    return missing


def _booked(folder: Path) -> int:
    with closing(sqlite3.connect(f"file:{folder}/data/omg.db?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM requests").fetchone()[0])


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # stdout is a text file here
    sys.exit(main(sys.argv[1:]))
