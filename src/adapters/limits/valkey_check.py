"""A look at a Valkey server: whether it would count limits, and whether it might forget them."""

from typing import Any, Final

import msgspec
from valkey.exceptions import ResponseError, ValkeyError

from adapters.limits.breaker import StoreAway
from adapters.limits.link import patience
from adapters.limits.valkey_counters import ValkeyCounters
from domain.secrets import Secret

SECONDS: Final = 3.0


class ValkeyState(msgspec.Struct, frozen=True):
    """`trouble`: why it cannot be used. `remark`: why it should not be used as it is."""

    version: str = ""
    trouble: str = ""
    remark: str = ""


async def look_at(url: Secret, instance: str) -> ValkeyState:
    """Writes one key that ends after a minute, as counting would."""
    counters = ValkeyCounters(url, instance, reply_seconds=SECONDS)
    try:
        async with patience(SECONDS):
            await counters.link.probe()
            async with counters.link.connection() as connection:
                return await _described(counters, connection)
    except (ValkeyError, StoreAway, OSError) as error:
        return ValkeyState(trouble=str(error) or f"no answer within {SECONDS:g} s")
    finally:
        await counters.aclose()


async def _described(counters: ValkeyCounters, connection: Any) -> ValkeyState:
    try:
        text = await counters.link.ask(connection, "INFO")
    except ResponseError:  # it may count, and not look
        return ValkeyState()
    lines = (text.decode() if isinstance(text, bytes) else str(text)).splitlines()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    policy = facts.get("maxmemory_policy", "")
    remark = ""
    if facts.get("maxmemory", "0") != "0" and policy != "noeviction":
        remark = f"with maxmemory-policy {policy} it forgets what was used when its memory is full; set noeviction"
    return ValkeyState(facts.get("valkey_version") or facts.get("redis_version", ""), remark=remark)
