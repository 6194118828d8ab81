"""Ports: what the application asks of the outside, one small Protocol a capability."""
