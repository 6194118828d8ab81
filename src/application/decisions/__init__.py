"""Routing decisions: read back, tried dry, and replayed."""
