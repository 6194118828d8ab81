"""What the HTTP edge is told: names it answers to, sizes and deadlines (promises.md 6)."""

import msgspec

MIB = 1024 * 1024


class EdgeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one request. `allowed_hosts` are bare names without a port; `*` allows every well-formed one.

    `trusted_proxies` are addresses or networks whose `X-Forwarded-For` is believed. `cors_origins` of `*`
    lets every origin in: keys travel in headers, never in cookies, so that gives no one a key.
    """

    allowed_hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "::1")
    cors_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    max_body_bytes: int = 32 * MIB
    max_admin_body_bytes: int = MIB // 4
    max_chat_body_bytes: int = MIB  # of what is under `/api`, but for uploads
    max_header_bytes: int = 32 * 1024
    max_headers: int = 100
    receive_seconds: float = 30.0  # for a whole body, from the request's head
    ping_seconds: float = 15.0  # of upstream silence before a comment is sent down a stream
    write_stall_seconds: float = 30.0  # a client that takes nothing for this long is dropped
    public_metrics: bool = False  # `/metrics` is for everybody, by whatever name it is asked
    base_path: str = ""  # of the public URL, without a slash at its end: where what is sent to browsers leads
    https: bool = False  # the public URL is https: pages say so (HSTS)


class ConnectionLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one connection, kept by the server protocol (F4, R-35)."""

    header_seconds: float = 10.0  # for a whole request head, absolute
    keep_alive_seconds: float = 15.0  # between requests; also for the rest of a small body that was answered early
    linger_seconds: float = 30.0  # after the last answer, while a client still sends: what comes is dropped unread
    linger_silence_seconds: float = 5.0  # of them without a byte
    linger_bytes: int = 128 * MIB
    max_header_bytes: int = 32 * 1024
    max_connections: int = 4000
    max_connections_per_address: int = 200  # loopback and trusted proxies speak for many and are exempt
