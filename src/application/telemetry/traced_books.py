"""Books that note when each call upstream began, and give it an id in its request's trace."""

import time
from typing import TypeVar

from typing_extensions import override

from application.inference.books import Books, Entry
from application.inference.calls import Attempt, InferenceCall
from domain.inference import InferenceRequest
from domain.keys import ProviderKey
from domain.routing import Candidate
from domain.tracing import current_trace

R = TypeVar("R", bound=InferenceRequest)


class TracedBooks(Books):
    """In place of `Books` while traces are collected."""

    @override
    def open(self, call: InferenceCall[R], endpoint: str) -> Entry:
        return _TracedEntry(self, call, endpoint)


class _TracedEntry(Entry):
    __slots__ = ()

    @override
    def begin_attempt(self, candidate: Candidate, key: ProviderKey | None) -> Attempt:
        attempt = super().begin_attempt(candidate, key)
        trace = current_trace.get()
        if trace is not None:
            trace.attempt_begins(self.trace.decision_id, attempt.number, time.time_ns())
        return attempt
