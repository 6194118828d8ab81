"""The simulator inside the test's own process: no port, no socket, so no fault that breaks a connection."""

import httpx
import httpx2

from entrypoints.simulator.app import Application, create_simulator
from entrypoints.simulator.script import Script


def simulator() -> httpx.AsyncClient:
    """A client of a fresh simulator."""
    return client_of(create_simulator())


def scripted(script: Script) -> httpx.AsyncClient:
    """A client of a simulator that plays a script."""
    return client_of(create_simulator(script))


def client_of(application: Application) -> httpx.AsyncClient:
    """A client of this very simulator."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=application), base_url="http://simulator")


def sdk_transport() -> httpx2.AsyncClient:
    """A fresh simulator behind the transport that the official clients use."""
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=create_simulator()), base_url="http://simulator")


def events_of(text: str) -> list[tuple[str | None, str]]:
    """The name and the data of each server-sent event."""
    found = []
    for block in text.replace("\r\n", "\n").strip("\n").split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        found.append((lines.get("event"), lines["data"]))
    return found
