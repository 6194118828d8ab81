"""`omg` with a wall clock that runs beside the machine's: `BENCH_CLOCK_FILE` holds the seconds between them.

Only the gateway's own clock is moved; the kernel's and the stores' stay, and so do the moments in ids.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from adapters.clock import SystemClock
from entrypoints.cli.main import main

_SHIFT: Final = Path(os.environ["BENCH_CLOCK_FILE"])


def _now(_: SystemClock) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=float(_SHIFT.read_text()))


if __name__ == "__main__":
    SystemClock.now = _now  # type: ignore[method-assign, assignment]  # it is what this is for
    main()
