"""Runs `omg` with a window into its process: `python -m bench.probe PORT serve …`.

Each connection to PORT gets one JSON object and is closed. Tasks cannot be counted from outside a process, and a
product needs no way to ask for them; so the soak starts the gateway through this module instead.
"""

import asyncio
import gc
import socket
import sys
import threading
from collections import Counter

import msgspec


class Inside(msgspec.Struct):
    """Unfinished tasks by the name of their coroutine, and objects; both without what was there at the start."""

    tasks: dict[str, int]
    objects: int


def look(port: int) -> Inside:
    """Ask the probe at `port`."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection, connection.makefile("rb") as answer:
        return msgspec.json.decode(answer.read(), type=Inside)


def _look() -> Inside:
    gc.collect()
    objects = gc.get_objects()
    tasks = [o for o in objects if issubclass(type(o), asyncio.Task) and not o.done()]
    names = Counter(getattr(task.get_coro(), "__qualname__", "?") for task in tasks)
    return Inside(dict(names), len(objects))


def _serve(port: int) -> None:
    with socket.create_server(("127.0.0.1", port)) as listening:
        while True:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(msgspec.json.encode(_look()))


def main() -> None:
    """The rest of the arguments are `omg`'s."""
    threading.Thread(target=_serve, args=(int(sys.argv[1]),), daemon=True).start()
    sys.argv = ["omg", *sys.argv[2:]]
    from entrypoints.cli.main import main as omg

    omg()


if __name__ == "__main__":
    main()
