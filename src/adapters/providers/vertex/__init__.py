"""Vertex AI: where it is, who asks, and its capabilities."""
