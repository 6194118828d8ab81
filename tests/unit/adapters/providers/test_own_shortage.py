"""A shortage of the gateway's own machine is told from a provider's failure."""

import errno
import os
import resource
import socket

import httpx
import pytest

from adapters.providers.own_shortage import is_own_shortage
from adapters.providers.upstream import transport_failure
from domain.failover import FailureKind

SHORT = [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EADDRNOTAVAIL]
THEIRS = [errno.ECONNREFUSED, errno.ECONNRESET, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT]


def wrapped(cause: BaseException, kind: type[httpx.RequestError] = httpx.ConnectError) -> httpx.RequestError:
    """As a transport raises it."""
    try:
        try:
            raise cause
        except BaseException as error:
            raise kind("No connection.") from error
    except httpx.RequestError as error:
        return error


@pytest.mark.parametrize("kind", [httpx.ConnectError, httpx.WriteError, httpx.ReadError])
@pytest.mark.parametrize("number", SHORT)
def test_a_lack_of_descriptors_memory_or_ports_is_ours(number: int, kind: type[httpx.RequestError]) -> None:
    failure = transport_failure(wrapped(OSError(number, os.strerror(number)), kind), None)

    assert failure.kind is FailureKind.LOCAL_SHORTAGE


@pytest.mark.parametrize("number", THEIRS)
def test_a_refused_or_broken_connection_is_the_providers(number: int) -> None:
    failure = transport_failure(wrapped(OSError(number, os.strerror(number))), None)

    assert failure.kind is FailureKind.CONNECT


def test_no_memory_for_an_object_is_ours() -> None:
    assert is_own_shortage(wrapped(MemoryError()))


def test_a_name_that_does_not_exist_is_the_providers_while_descriptors_are_left() -> None:
    assert not is_own_shortage(wrapped(socket.gaierror(socket.EAI_NONAME, "Name or service not known")))


def test_a_name_that_cannot_be_asked_for_lack_of_descriptors_is_ours() -> None:
    failure = wrapped(socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"))
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    held: list[int] = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free() + 2, before[1]))
        with pytest.raises(OSError, match="Too many open files"):
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        assert is_own_shortage(failure)
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def lowest_free() -> int:
    """The number the next descriptor gets."""
    descriptor = os.open(os.devnull, os.O_RDONLY)
    os.close(descriptor)
    return descriptor
