"""A machine and a network as slow as the slowest that these tests may run on: `OMG_SLOW_BROWSER=8` makes them so.

The number is by how much the processor is slower. Each request takes a while on its way, and each answer that a page
asks for: random ones, the same in each run of `OMG_SLOW_SEED`, so that answers overtake each other.
"""

import os

from playwright.sync_api import BrowserContext, CDPSession, Page

TIMES_SLOWER = float(os.environ.get("OMG_SLOW_BROWSER", "1"))
SEED = int(os.environ.get("OMG_SLOW_SEED", "1"))
LATENCY_MILLISECONDS = 150

_LATE_ANSWERS = """(seed => {
  const inTime = window.fetch;
  const random = () => {  // mulberry32
    seed = seed + 0x6D2B79F5 | 0;
    let t = Math.imul(seed ^ seed >>> 15, 1 | seed);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 4294967296;
  };
  const pause = () => new Promise(done => setTimeout(done, 50 + 250 * random()));
  window.fetch = async (what, how) => {
    await pause();
    const answer = await inTime(what, how);
    await pause();
    how?.signal?.throwIfAborted();
    return answer;
  };
})(SEED)"""


def slow_down(context: BrowserContext, page: Page) -> CDPSession | None:
    """Where it is asked for: answers what the network is slow by."""
    if TIMES_SLOWER <= 1:
        return None
    context.add_init_script(_LATE_ANSWERS.replace("SEED", str(SEED)))
    session = context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": TIMES_SLOWER})
    session.send("Network.enable")
    late(session, offline=False)
    return session


def late(session: CDPSession, *, offline: bool) -> None:
    """How the network is from now on: what one session of the browser says of it holds over another's."""
    slow = {"offline": offline, "latency": LATENCY_MILLISECONDS, "downloadThroughput": -1, "uploadThroughput": -1}
    session.send("Network.emulateNetworkConditions", slow)
