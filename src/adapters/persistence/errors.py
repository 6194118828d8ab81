"""What the database says, in the domain's words."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from domain.errors import RequestInvalid, StoreUnavailable


@contextmanager
def store_errors() -> Iterator[None]:
    """Let driver, pool and network errors out as `StoreUnavailable`, and refused values as `RequestInvalid`.

    Integrity errors pass: only the repository knows what they mean.
    """
    try:
        yield
    except IntegrityError:
        raise
    except (SQLAlchemyError, OSError, TimeoutError, OverflowError) as error:
        if _is_about_a_value(error):
            raise RequestInvalid("A value cannot be stored: it is too large or holds a NUL character.") from error
        raise StoreUnavailable(f"The database could not be asked: {_reason(error)}") from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] == "asyncpg":  # raised before SQLAlchemy has a connection
            raise StoreUnavailable(f"The database could not be asked: {_reason(error)}") from error
        raise


def refers_to_nothing(error: IntegrityError) -> bool:
    """Whether a foreign key was violated; otherwise a unique key was."""
    return getattr(error.orig, "sqlstate", None) == "23503" or "FOREIGN KEY" in str(error.orig)


def _is_about_a_value(error: Exception) -> bool:
    if isinstance(error, DataError | OverflowError):  # OverflowError: sqlite3's for integers over 64 bits
        return True
    sqlstate = getattr(getattr(error, "orig", None), "sqlstate", None)
    return isinstance(sqlstate, str) and sqlstate.startswith("22")  # class 22: data exception


def _reason(error: Exception) -> str:
    """The driver's first line, without the statement and its parameters."""
    cause = getattr(error, "orig", None) or error
    lines = str(cause).splitlines()
    return f"{type(cause).__name__}: {lines[0][:200]}" if lines else type(cause).__name__
