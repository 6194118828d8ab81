"""The named deadlines of one request (R-05), all in seconds."""

import msgspec


class Timeouts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Deadlines in force for a call; every one is a setting, and a provider or model may override it."""

    connect: float = 5.0
    response_headers: float = 60.0  # of a stream; a plain answer has no head before its end
    first_content: float = 120.0  # of a stream, from the call's beginning
    idle: float = 30.0  # between upstream bytes once there was content; our own pings never reset it
    upstream_call: float = 280.0
    request: float = 300.0
    pool: float = 1.0  # waiting for a pooled connection


class TimeoutOverrides(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The same names, each optional: what a provider or a model changes."""

    connect: float | None = None
    response_headers: float | None = None
    first_content: float | None = None
    idle: float | None = None
    upstream_call: float | None = None

    def over(self, timeouts: Timeouts) -> Timeouts:
        """`timeouts` with the fields set here replaced."""
        changes = {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}
        return msgspec.structs.replace(timeouts, **changes) if changes else timeouts
