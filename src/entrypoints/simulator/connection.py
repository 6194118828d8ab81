"""The socket under a request, so that a fault can break it in the exact way that was asked for."""

import asyncio
import os
import socket
import struct
from collections.abc import MutableMapping
from typing import Any, Protocol

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

EXTENSION = "simulator.connection"

_LINGER_ZERO = struct.pack("ii", 1, 0)


class Connection(Protocol):
    """What a fault may do to the socket."""

    def close(self) -> None:
        """Send what is written, then FIN, whatever the response still owes."""
        ...

    def reset(self) -> None:
        """Send RST and drop what is not yet written."""
        ...


class TransportConnection(Connection):
    """The asyncio or uvloop transport of a uvicorn connection."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    @override
    def close(self) -> None:
        self._transport.close()

    @override
    def reset(self) -> None:
        # Both event loops hide parts of the socket; options are shared with any copy of its descriptor.
        with socket.socket(fileno=os.dup(self._transport.get_extra_info("socket").fileno())) as copy:
            copy.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        self._transport.abort()


class SimulatorProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which also hands the connection to the application."""

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope: MutableMapping[str, Any] = self.scope  # type: ignore[assignment]  # a TypedDict is a plain dict
        scope["extensions"] = {EXTENSION: TransportConnection(self.transport)}


def connection_of(scope: MutableMapping[str, Any]) -> Connection:
    """The request's connection. Raises `RuntimeError` under a server that was not set up for it."""
    connection: Connection | None = (scope.get("extensions") or {}).get(EXTENSION)
    if connection is None:
        raise RuntimeError("breaking connections needs `entrypoints.simulator.server.configure`")
    return connection
