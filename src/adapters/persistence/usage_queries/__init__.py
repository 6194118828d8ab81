"""Reads what the ledger has kept: sums from the grain that is cheapest, single requests, and whether both agree."""
