"""The bounds every upstream transport keeps, whichever library it stands on."""

import msgspec


class TransportLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Times in seconds, sizes in bytes. The deadlines of answers (headers, idle, total) are the caller's (R-05)."""

    connect_seconds: float = 5.0  # name, TCP and TLS together
    pool_wait_seconds: float = 1.0  # for a connection while all are in use
    max_connections: int = 1000  # to one origin
    keepalive_seconds: float = 30.0  # idle
    connection_max_age_seconds: float = 300.0
    max_header_bytes: int = 32 * 1024
    max_headers: int = 128
    max_unread_bytes: int = 256 * 1024  # above it the socket is not read
    max_decoded_bytes: int = 32 * 1024 * 1024  # of an answer that came compressed unasked
    max_decode_ratio: int = 100
    stale_window_seconds: float | None = None  # None: the round trip measured at connect; see connection.py
