"""`omg serve --open`: a browser that is signed in, as soon as the gateway listens."""

import asyncio
import logging
import webbrowser

from entrypoints.http.auth.links import PublicAddress
from entrypoints.lifespan import RunningGateway

log = logging.getLogger(__name__)

_opening: set[asyncio.Task[None]] = set()


def open_signed_in(gateway: RunningGateway, address: str) -> None:
    """Make a one-time link and hand it to the machine's browser, beside what else the loop does."""
    task = asyncio.get_running_loop().create_task(_open(gateway, address))
    _opening.add(task)
    task.add_done_callback(_opening.discard)


async def _open(gateway: RunningGateway, address: str) -> None:
    try:
        link = PublicAddress(address).link(gateway.sign_in_token or await gateway.make_sign_in_token())
        opened = await asyncio.to_thread(webbrowser.open, link)
    except Exception:
        log.exception("no browser could be opened")
        return
    if not opened:
        log.warning("no browser could be opened: open the link of 'omg link' in one")
