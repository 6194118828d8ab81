"""Ollama's own API: chat in lines of JSON, embeddings, the list of models."""
