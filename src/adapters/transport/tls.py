"""The TLS settings of every upstream connection."""

import functools
import ssl

import httpx


@functools.cache
def client_context(ca_file: str | None = None) -> ssl.SSLContext:
    """Verifies names and chains; made once for the process, since reading the roots takes 50 ms.

    The roots are certifi's, or `SSL_CERT_FILE`'s where that is set; `ca_file` (PEM) adds to them.
    """
    context = httpx.create_ssl_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    context.set_alpn_protocols(["http/1.1"])
    return context
