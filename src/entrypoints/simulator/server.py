"""Runs the simulator on a port: `serve` for the command line, `configure` for whoever runs the loop."""

import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn

from entrypoints.simulator.app import Application, create_simulator
from entrypoints.simulator.connection import SimulatorProtocol
from entrypoints.simulator.script import parse_script


def configure(application: Application, *, host: str = "127.0.0.1", port: int = 0) -> uvicorn.Config:
    """A uvicorn set-up under which faults can break connections. Port 0 takes any free one."""
    return uvicorn.Config(
        application,
        host=host,
        port=port,
        http=SimulatorProtocol,
        ws="none",
        lifespan="off",
        proxy_headers=False,
        access_log=False,
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=75,
    )


def serve(
    port: int,
    script: Path | None = None,
    host: str = "127.0.0.1",
    on_listening: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve until a signal; `on_listening` is called with the address once there is one.

    Raises `ScriptInvalid` for a bad script and `OSError` for a file that cannot be read or an address that is taken.
    """
    given = parse_script(script.read_text(encoding="utf-8")) if script is not None else None
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
        shown = f"[{host}]" if ":" in host else host
        on_listening(f"http://{shown}:{listener.getsockname()[1]}")
        uvicorn.Server(configure(create_simulator(given))).run(sockets=[listener])
