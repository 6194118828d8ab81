"""Cohere's own API, version 2: chat and embeddings."""
