"""The port to what providers let one download of their bills."""

from collections.abc import Mapping
from typing import Protocol
from zoneinfo import ZoneInfo

from domain.bills import Bill


class BillReader(Protocol):
    """Reads what a provider lets one download."""

    def read(self, files: Mapping[str, bytes], columns: Mapping[str, str], zone: ZoneInfo) -> Bill:
        """One bill out of all files, by name. `columns` name those of a table that nobody knows; days are `zone`'s.

        Raises `RequestInvalid` with the file and what is wrong with it.
        """
        ...
