"""Tests of the Cohere dialect."""
