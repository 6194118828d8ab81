"""What a dialect makes of requests and answers, whatever the format."""

import msgspec

from domain.usage import TokenUsage


class Encoded(msgspec.Struct, frozen=True):
    """A request body ready to send. `dropped` are the parameters that could not be carried over, sorted."""

    body: bytes
    dropped: tuple[str, ...] = ()
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()  # further ones this request needs


class PlainAnswer(msgspec.Struct, frozen=True):
    """A complete, valid answer in the ingress's format."""

    body: bytes
    model: str
    usage: TokenUsage | None
    output_text: str = ""  # what was generated, read only where there is no usage
    content_type: str = "application/json"
