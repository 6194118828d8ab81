"""The TLS settings of upstream connections."""

import functools
import ssl
from pathlib import Path
from typing import NamedTuple

import httpx


class TlsFiles(NamedTuple):
    """Paths of PEM files: authorities trusted besides the usual roots, and a client certificate with its key."""

    authorities: tuple[str, ...] = ()
    client_cert: str | None = None


NO_FILES = TlsFiles()


def client_context(files: TlsFiles = NO_FILES) -> ssl.SSLContext:
    """Verifies names and chains; made once for each set of files, since reading the roots takes 50 ms.

    The roots are certifi's, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR` where these are set. A file that was
    changed is read anew. Raises `httpx.ConnectError`, naming the file that cannot be used.
    """
    return _context(files, tuple(_changed_at(path) for path in (*files.authorities, files.client_cert) if path))


@functools.lru_cache(maxsize=64)
def _context(files: TlsFiles, _: tuple[int, ...]) -> ssl.SSLContext:
    context = httpx.create_ssl_context()
    for path in files.authorities:
        try:
            context.load_verify_locations(path)
        except OSError as error:  # ssl.SSLError is one
            raise httpx.ConnectError(f"The file '{path}' holds no certificates of authorities: {error}.") from error
    if files.client_cert is not None:
        try:
            context.load_cert_chain(files.client_cert, password=_no_password)
        except (OSError, ValueError) as error:
            raise httpx.ConnectError(
                f"The file '{files.client_cert}' holds no client certificate with its unencrypted key: {error}."
            ) from error
    context.set_alpn_protocols(["http/1.1"])
    return context


def _no_password() -> str:
    """Asked for an encrypted key's password: none is known, and the terminal must not be asked."""
    return ""


def _changed_at(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError as error:
        raise httpx.ConnectError(f"The file '{path}' cannot be read: {error.strerror}.") from error
