"""Where usage is written down: full, or gone."""

import resource
import shutil
import time
from typing import Final

from bench.faults.case import Case, Checks
from bench.faults.checking import books, only, told
from bench.faults.stand import Stand, until


def full(stand: Stand, checks: Checks) -> None:
    """As a full disk does, to this process alone: no file may be longer than 64 KiB."""
    site = stand.site("postgres")  # SQLite's own file would be as full
    pid = site.first.process.pid

    def limit(size: int) -> None:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    with site.traffic() as load:
        time.sleep(1.0)
        limit(64 * 1024)
        gone = until(lambda: site.ready() == "503 usage_unwritable", 20)
        time.sleep(min(stand.outage, 10.0))
        limit(resource.RLIM_INFINITY)
        back = until(lambda: site.ready() == "200 ready", 20)
        time.sleep(1.0)
    checks.holds("it is not ready, and says why", gone < float("inf"))
    checks.holds("it is ready again without a restart", back < float("inf"))
    checks.figure(f"ready {back:.1f} s after there was room")
    only(checks, "requests go on", load, "200")
    books(site, checks, load)
    told(checks, site, "usage cannot be written down", 1)
    told(checks, site, "usage is written down again", 1)


def spool_removed(stand: Stand, checks: Checks) -> None:
    site = stand.site()
    with site.traffic() as load:
        time.sleep(1.0)
        for _ in range(3):
            shutil.rmtree(site.first.data / "spool", ignore_errors=True)
            time.sleep(1.5)
    checks.holds("it is ready", site.ready() == "200 ready")
    only(checks, "nobody notices", load, "200")
    books(site, checks, load)


def data_gone(stand: Stand, checks: Checks) -> None:
    """The whole folder, as with a mount that goes away; the database is elsewhere."""
    site = stand.site("postgres")
    away = site.first.data.with_name("elsewhere")
    with site.traffic() as load:
        time.sleep(1.0)
        site.first.data.rename(away)
        time.sleep(min(stand.outage, 10.0))
        checks.holds("nothing is made in its place", not site.first.data.exists())
        away.rename(site.first.data)
        back = until(lambda: site.ready() == "200 ready", 20)
        time.sleep(1.0)
    checks.holds("it is ready again without a restart", back < float("inf"))
    only(checks, "requests go on", load, "200")
    books(site, checks, load)


CASES: Final = (
    Case(
        "disk-full",
        "no room for usage records under load (a limit on file sizes)",
        "requests go on, readiness says `usage_unwritable`, records wait in memory; back by itself (R-30)",
        full,
    ),
    Case(
        "spool-removed",
        "the spool folder is removed under load, three times",
        "what was in it is carried over, folder and files are made again, nobody notices",
        spool_removed,
    ),
    Case(
        "data-folder-gone",
        "the data folder goes away under load and comes back, with Postgres as database",
        "requests go on, records wait, nothing is made in its place",
        data_gone,
    ),
)
