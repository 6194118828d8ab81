"""The sections of the configuration, and of what processes learn: each changes, and is read again, on its own."""

from enum import StrEnum
from typing import Final

SETTING: Final = "setting:"
"""Before the name of a setting that is changed while the gateway runs, as a fact: its value is JSON."""


class Section(StrEnum):
    """What is stored, cached and told to other processes as one. A value is the name of its row in the store."""

    PROVIDERS = "providers"  # with their keys
    LIMITS = "limits"  # and budgets that are no field of their subject
    PRICES = "prices"  # those that admins set
    VIRTUAL_KEYS = "virtual_keys"
    TENANTS = "tenants"  # and what may be used in them
    ROUTES = "routes"
    ALERTS = "alerts"  # channels and rules
    PEOPLE = "people"  # users and their memberships


class Learned(StrEnum):
    """What processes find out and tell each other. Versioned as sections are, though nobody configures it."""

    AVAILABILITY = "availability"  # keys that wait, providers and models that rest
    MODEL_LISTS = "model_lists"
