"""Which stores of limits and budgets serve these settings."""

from collections.abc import Awaitable, Callable
from datetime import tzinfo

from adapters.limits.memory import MemoryLimitStore
from adapters.limits.memory_budgets import MemoryBudgetStore
from adapters.persistence.engine import parse_url, sqlite_path
from domain.ports.budgets import BudgetStore, SpendReader
from domain.ports.limits import DayCounts, LimitStore
from domain.ports.runtime import Clock
from domain.ports.sign_in import AttemptCounter
from domain.secrets import Secret


def open_budget_store(
    database_url: str, clock: Clock, reader: SpendReader, ready: Callable[[], Awaitable[None]]
) -> BudgetStore:
    """In memory beside SQLite, which one process alone can use; else where all processes meet."""
    url = parse_url(database_url)
    if sqlite_path(url) is not None:
        return MemoryBudgetStore(clock, reader, ready)
    from adapters.limits.postgres_budgets import PostgresBudgetStore  # asyncpg is not there to be paid for

    return PostgresBudgetStore(url, clock, reader)


def open_limit_store(
    database_url: str, valkey_url: Secret, instance: str, clock: Clock, zone: tzinfo, processes: int, kept: DayCounts
) -> LimitStore:
    """In Valkey where it has an address; else as budgets: in memory beside SQLite, and in Postgres.

    `processes` is how many this host runs, and `kept` where a process that counts in memory keeps its days.
    """
    url = parse_url(database_url)
    if not valkey_url and sqlite_path(url) is not None:
        return MemoryLimitStore(clock, zone, kept)
    from adapters.limits.shared import SharedCounters, SharedLimitStore  # and no driver that is not used

    counters: SharedCounters
    if valkey_url:
        from adapters.limits.valkey_counters import ValkeyCounters

        counters = ValkeyCounters(valkey_url, instance)
    else:
        from adapters.limits.postgres_counters import PostgresCounters

        counters = PostgresCounters(url)
    return SharedLimitStore(counters, clock, zone, processes)


def attempt_counter(limits: LimitStore) -> AttemptCounter | None:
    """Counts attempts to sign in where limits are counted for all processes; None where there is one process."""
    if isinstance(limits, MemoryLimitStore):
        return None
    from adapters.limits.shared import SharedLimitStore
    from adapters.limits.shared_attempts import SharedAttempts

    return SharedAttempts(limits.counters) if isinstance(limits, SharedLimitStore) else None
