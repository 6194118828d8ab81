"""What becomes of each request parameter at an upstream, as data (one table an adapter and endpoint).

The same table decides what is sent, is shown by the admin API and in the docs, names what was dropped in
`x-omg-dropped-params`, and is what the generated tests check cell by cell.
"""

from typing import Literal

import msgspec

ParamSupport = Literal["honored", "mapped", "dropped", "refused"]


class Cell(msgspec.Struct, frozen=True, omit_defaults=True):
    """One parameter at one upstream. `to` is what a mapped one becomes there; `note` says what is lost, or why."""

    support: ParamSupport
    to: str = ""
    note: str = ""


Fidelity = dict[str, Cell]
"""By parameter name."""

HONORED = Cell("honored")


def mapped(to: str, note: str = "") -> Cell:
    """Carried over under another name or in another form."""
    return Cell("mapped", to, note)


def dropped(note: str = "") -> Cell:
    """Left out, and reported as dropped; with a strict key refused."""
    return Cell("dropped", note=note)


def refused(note: str = "") -> Cell:
    """Leaving it out would change what was asked for: this upstream is passed over (`unsupported_parameter`)."""
    return Cell("refused", note=note)
