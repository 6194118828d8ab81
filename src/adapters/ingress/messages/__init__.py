"""Anthropic's Messages over OpenAI's chat: a message becomes a chat, and the chat's answer a message."""
