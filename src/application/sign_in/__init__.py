"""Signing in: who somebody is, sessions, one-time links, and what slows a guesser down."""
