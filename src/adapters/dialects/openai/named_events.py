"""Streams whose events say their type: images, speech and transcriptions, passed on as they come."""

from collections.abc import Callable, Sequence

import msgspec
from typing_extensions import override

from adapters.dialects.openai.endpoint import NULL, decode_fields, text_of
from adapters.wire.events import EventReader
from adapters.wire.sse import Event
from domain.errors import UpstreamFailure
from domain.usage import TokenUsage

_decode_any = msgspec.json.Decoder().decode


class NamedEvents(EventReader):
    """`last` are the types that end an answer, `content` the fields that hold what was made.

    With `texts` the first of `content` is text, kept for an estimate where usage never comes.
    """

    def __init__(
        self,
        model: str,
        failure_of: Callable[[object], UpstreamFailure],
        last: Sequence[str],
        content: Sequence[str],
        usage: Callable[[msgspec.Raw], TokenUsage | None],
        *,
        texts: bool = False,
    ) -> None:
        super().__init__(model)
        self._failure_of = failure_of
        self._last = frozenset(last)
        self._content = content
        self._read_usage = usage
        self._texts = texts

    @override
    def read(self, event: Event, text: bytes) -> bytes:
        fields = decode_fields(event.data or b"")
        error = fields.get("error", NULL)
        kind = text_of(fields, "type") or event.name.decode(errors="replace")
        if error != NULL or kind == "error":
            raise self._failure_of(_decode_any(error if error != NULL else event.data or b"null"))
        if any(fields.get(name, NULL) != NULL for name in self._content):
            self.has_content = True
            if self._texts:
                self.generated(text_of(fields, self._content[0]))
        if kind in self._last:
            self.complete = self.has_content = True
        if fields.get("usage", NULL) != NULL:
            self._add(self._read_usage(fields["usage"]))
        return text

    def _add(self, usage: TokenUsage | None) -> None:
        """Of several images each has its own usage."""
        if usage is not None:
            sums = (a + b for a, b in zip(_counts(self.usage), _counts(usage), strict=True))
            self.usage: TokenUsage | None = TokenUsage(*sums)


def _counts(usage: TokenUsage | None) -> tuple[int, ...]:
    return msgspec.structs.astuple(usage or TokenUsage())
