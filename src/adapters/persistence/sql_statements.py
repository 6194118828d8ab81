"""What a migration's hand-written SQL does to which table, read from its first words."""

import re
from collections.abc import Callable
from dataclasses import dataclass

_NAME = r'"?(?P<name>\w+)"?'
_TABLE = r'"?(?P<table>\w+)"?'
_MAYBE = r"(?:IF (?:NOT )?EXISTS )?"


@dataclass(frozen=True)
class Statement:
    """`contracts`: an older version may still count on what it takes away or newly forbids."""

    table: str
    words: str
    contracts: bool


@dataclass(frozen=True)
class _Rule:
    """`words` may name the groups of `pattern`. A rule with `of_new` only adds where its table is new."""

    pattern: re.Pattern[str]
    words: str
    contracts: bool = False
    of_new: bool = False


def _rule(pattern: str, words: str, *, contracts: bool = False, of_new: bool = False) -> _Rule:
    return _Rule(re.compile(pattern, re.IGNORECASE), words, contracts, of_new)


_RULES = (
    _rule(rf"INSERT INTO {_TABLE}", "adds rows to {table}"),
    _rule(rf"UPDATE {_TABLE} SET", "writes rows of {table} anew"),
    _rule(rf"DELETE FROM {_TABLE}", "deletes rows of {table}", contracts=True),  # noqa: S608 - a pattern
    _rule(rf"TRUNCATE (?:TABLE )?{_TABLE}", "empties {table}", contracts=True),
    _rule(rf"CREATE TABLE {_MAYBE}{_TABLE}", "new table {table}"),
    _rule(rf"CREATE INDEX {_MAYBE}{_NAME} ON {_TABLE}", "new index {name} on {table}"),
    _rule(rf"CREATE UNIQUE INDEX {_MAYBE}{_NAME} ON {_TABLE}", "no two rows of {table} alike ({name})", of_new=True),
    _rule(rf"CREATE TRIGGER {_NAME} .*? ON {_TABLE}", "new trigger {name} of {table}", of_new=True),
    _rule(rf"CREATE FUNCTION {_TABLE}", "new function {table}"),
    _rule(rf"CREATE OR REPLACE FUNCTION {_TABLE}", "function {table} does something else", contracts=True),
    _rule(rf"CREATE (?:VIEW|SEQUENCE|TYPE|EXTENSION) {_MAYBE}{_TABLE}", "makes {table}"),
    _rule(rf"DROP INDEX {_MAYBE}{_TABLE}", "drops index {table}", contracts=True),
    _rule(rf"DROP TRIGGER {_MAYBE}{_NAME} ON {_TABLE}", "drops trigger {name} of {table}"),
    _rule(rf"DROP (?P<kind>\w+) {_MAYBE}{_TABLE}", "drops {kind} {table}", contracts=True),
    _rule(rf"ALTER TABLE {_MAYBE}{_TABLE}", "changes {table} by hand-written SQL", contracts=True),
)
_ALONE = re.compile(r"\s*CREATE (?:OR REPLACE )?(?:FUNCTION|TRIGGER)\b", re.IGNORECASE)


def read_statement(sql: str, is_new: Callable[[str], bool]) -> Statement:
    """What no rule knows is taken to contract, and so are several statements in one. `is_new` knows tables."""
    text = " ".join(sql.split())
    one = _ALONE.match(text) is not None or ";" not in text.rstrip("; ")
    for rule in _RULES if one else ():
        found = rule.pattern.match(text)
        if found is not None:
            table = found["table"].lower()
            contracts = (rule.contracts or rule.of_new) and not is_new(table)
            words = found.groupdict()
            return Statement(
                table, rule.words.format(**{name: value.lower() for name, value in words.items()}), contracts
            )
    return Statement("", f"runs SQL that nobody can tell: {text[:60]}", contracts=True)
