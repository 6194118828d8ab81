"""Alerts: what is looked at, when something is told, and how it gets there."""
