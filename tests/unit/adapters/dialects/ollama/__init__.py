"""Tests of the Ollama dialect."""
