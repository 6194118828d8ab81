"""A target's `when`: for which requests it is there."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from functools import cached_property
from typing import Protocol

from application.routing.classifier import HeuristicClassifier
from domain.budget_periods import zone_of
from domain.ports.routing import RoutingQuestion
from domain.routes import When, spans_of
from domain.routing import TaskReading
from domain.tasks import Prompt, Task

_TEXT_CHARACTERS = 4_096


class Circumstances(Protocol):
    """What conditions ask of one request: of one that is made now, or of one that was recorded."""

    @property
    def now(self) -> datetime: ...

    @property
    def tenant_id(self) -> str: ...

    @property
    def key_id(self) -> str | None: ...

    @property
    def tags(self) -> frozenset[str]: ...

    @property
    def tokens(self) -> int: ...

    @property
    def reading(self) -> TaskReading: ...


class Asked:
    """`Circumstances` of a request that is made now, each found out once and only where a condition asks."""

    def __init__(self, question: RoutingQuestion, now: datetime) -> None:
        self._question = question
        self.now = now
        principal = question.principal
        self.tenant_id = principal.tenant_id if principal is not None else ""
        self.key_id = principal.key_id if principal is not None else None
        self.tags = frozenset((*question.attribution.tags, *(principal.tags if principal is not None else ())))

    @cached_property
    def tokens(self) -> int:
        """The prompt's, estimated."""
        return self._question.prompt_tokens()

    @cached_property
    def reading(self) -> TaskReading:
        """As the request says, else as its last text reads."""
        request = self._question.request
        if request.task in {task.value for task in Task}:
            return TaskReading(Task(request.task), 1.0, "request")
        texts = list(request.prompt_texts())
        text = texts[-1][-_TEXT_CHARACTERS:] if texts else ""
        return HeuristicClassifier().look(Prompt(text, bool(getattr(request, "tools", None))))

    @property
    def was_read(self) -> TaskReading | None:
        """`reading`, where a condition has asked for it."""
        found = self.__dict__.get("reading")
        return found if isinstance(found, TaskReading) else None


class Condition:
    """`When`, read once. Raises `ValueError` and `RequestInvalid` for hours and zones that are none."""

    def __init__(self, when: When) -> None:
        self._when = when
        self._tags = frozenset(when.tags or ())
        self._spans: Sequence[tuple[int, int]] = tuple(spans_of(when.hours)) if when.hours is not None else ()
        self._zone: tzinfo = zone_of(when.timezone)

    def unmet(self, asked: Circumstances) -> str | None:
        """The first part that does not hold, as `when:tenants`; None where all do."""
        when = self._when
        if when.tenants is not None and asked.tenant_id not in when.tenants:
            return "when:tenants"
        if when.keys is not None and asked.key_id not in when.keys:
            return "when:keys"
        if when.tags is not None and self._tags.isdisjoint(asked.tags):
            return "when:tags"
        if when.hours is not None and not self._open_at(asked.now):
            return "when:hours"
        if when.min_input_tokens is not None and asked.tokens < when.min_input_tokens:
            return "when:min_input_tokens"
        if when.max_input_tokens is not None and asked.tokens > when.max_input_tokens:
            return "when:max_input_tokens"
        if when.tasks is not None and asked.reading.name not in when.tasks:
            return "when:tasks"
        return None

    def _open_at(self, now: datetime) -> bool:
        here = now.astimezone(self._zone)
        minute = here.hour * 60 + here.minute
        return any(
            start <= minute < end if start < end else minute >= start or minute < end for start, end in self._spans
        )
