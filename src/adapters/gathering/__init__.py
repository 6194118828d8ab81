"""Whole answers out of streams, for plain calls that a budget may have to end."""
