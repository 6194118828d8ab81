"""`uv run python -m bench`: what the gateway adds to a call. `… bench soak`: what many calls leave behind."""

import signal
import sys

from bench import comparison, soak


def main() -> int:
    """The exit code of the chosen run."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # stdout is a text file here
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, so that every process it started is ended
    if sys.argv[1:2] == ["soak"]:
        return soak.main(sys.argv[2:])
    return comparison.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
