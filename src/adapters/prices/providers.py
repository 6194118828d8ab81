"""Which of the catalog's providers stands for which of ours.

A provider that is not here is unpriced until an admin sets prices: those that run on one's own machine, those that are
simulated, and those the catalog does not know (DashScope, DeepInfra, GitHub Models, Hugging Face's router, Hyperbolic,
Nebius, NVIDIA, Ollama's cloud, SambaNova, Vercel).
"""

from typing import Final

CATALOG_NAMES: Final = {
    "anthropic": "anthropic",
    "azure": "azure",
    "bedrock": "aws",
    "cerebras": "cerebras",
    "cloudflare": "cloudflare",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "fireworks": "fireworks",
    "gemini": "google",
    "gemini-openai": "google",
    "groq": "groq",
    "mistral": "mistral",
    "moonshot": "moonshotai",
    "novita": "novita",
    "openai": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "together": "together",
    "vertex": "google",
    "xai": "x-ai",
    "zai": "zai",
}
"""Preset id to the catalog's name."""
