"""Tells a shortage on the gateway's own machine from a provider's failure: it says nothing of the provider."""

import errno
import os
import socket
from collections.abc import Iterator
from typing import Final

SHORTAGES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EADDRNOTAVAIL})
"""No descriptor left for the process or the machine, no memory, no buffer, no port to call from."""


def is_own_shortage(error: BaseException) -> bool:
    """Whether the error, or one it comes from, is a lack of descriptors, memory, buffers or ports of this machine.

    A resolver that cannot open a socket says "try again" or "no such name" instead: then it is tried out.
    """
    for cause in _causes(error):
        if isinstance(cause, MemoryError):
            return True
        if isinstance(cause, socket.gaierror):
            return cause.errno == socket.EAI_MEMORY or not _can_open()
        if isinstance(cause, OSError) and cause.errno in SHORTAGES:
            return True
    return False


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__


def _can_open() -> bool:
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno not in SHORTAGES
    return True
