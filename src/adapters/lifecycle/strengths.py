"""What models are good at, by family, from `strengths.json`: public comparisons, each with its source and its day.

A figure is the share of the models compared at a task that a family leaves behind: rank 11 of 313 is 0.97. The ranks
are those of whatmodel.sh, which weighs public benchmarks (SWE-bench, Terminal-Bench, τ²-bench, LMArena, AIME, others)
into one order a task. Its `agent tasks` stand for `agent_step`, `coding` for `coding`, `math` for `reasoning`,
`chat & writing` for `chat`. Nobody compares so many models at summaries or translations: both take the figure of
`chat`, and say so. Pictures are compared nowhere alike: there every family has the median.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.resources import files
from statistics import median
from typing import Final

import msgspec
from typing_extensions import override

from domain.ports.tasks import ShippedStrengths
from domain.tasks import Strength, Task

FILE: Final = "strengths.json"

_COLUMNS: Final[Mapping[Task, tuple[str, str]]] = {
    Task.AGENT_STEP: ("agent tasks", ""),
    Task.CODING: ("coding", ""),
    Task.CHAT: ("chat & writing", ""),
    Task.REASONING: ("math", ""),
    Task.SUMMARIZATION: ("chat & writing", ", for want of a comparison of summaries"),
    Task.TRANSLATION: ("chat & writing", ", for want of a comparison of translations"),
}

_SAME_MODEL: Final = re.compile(
    r"(?:-(?:\d{4}-\d{2}-\d{2}|\d{4,8}|\d+k?|latest|preview|exp|instruct|instant|versatile|chat|turbo|maas|it|fp8|v\d+"
    r"|cloud|free|high|low|hd))*$"
)
"""What a name may have behind its family and still be that model: a day, or where and how it runs."""

_STARTS: Final = ("gpt-", "claude-", "gemini-", "deepseek-", "llama-", "mistral-", "kimi-", "glm-")


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    family: str
    page: str
    ranks: Mapping[str, tuple[int, int]]


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    as_of: date
    pages: str
    rows: tuple[_Row, ...]


class FamilyStrengths(ShippedStrengths):
    """Read when it is first asked."""

    def __init__(self) -> None:
        self._families: Mapping[str, Mapping[Task, Strength]] = {}
        self._longest_first: Sequence[str] = ()
        self._medians: Mapping[Task, float] = {}

    @override
    def of(self, model: str) -> Mapping[Task, Strength]:
        family = self.family_of(model)
        return self._families[family] if family is not None else {}

    @override
    def medians(self) -> Mapping[Task, float]:
        self._load()
        return self._medians

    def family_of(self, model: str) -> str | None:
        """By any provider's name for it: without the maker before it, and the day behind it. None if in no row."""
        self._load()
        name = re.sub(r"[._:@ ]", "-", model.lower().rpartition("/")[2])
        for start in _STARTS:
            found = name.find(start)
            if found > 0 and name[found - 1] == "-":  # `global-anthropic-claude-…`, `us-meta-llama-…`
                name = name[found:]
                break
        for family in self._longest_first:
            if name.startswith(family) and _SAME_MODEL.match(name, len(family)):
                return family
        return None

    def _load(self) -> None:
        if self._families:
            return
        document = msgspec.json.decode(files(__package__).joinpath(FILE).read_bytes(), type=_Document)
        self._families = {row.family: _strengths(row, document) for row in document.rows}
        self._longest_first = sorted(self._families, key=len, reverse=True)
        self._medians = {
            task: _median([each[task].value for each in self._families.values() if task in each]) for task in Task
        }


def _strengths(row: _Row, document: _Document) -> Mapping[Task, Strength]:
    found = {}
    for task, (column, why) in _COLUMNS.items():
        if column in row.ranks:
            rank, among = row.ranks[column]
            source = f"{document.pages}{row.page}.md, {column}: {rank} of {among}{why}"
            found[task] = Strength(round(1 - (rank - 1) / among, 2), source, document.as_of)
    return found


def _median(values: Sequence[float]) -> float:
    return round(median(values), 2) if values else 0.5
