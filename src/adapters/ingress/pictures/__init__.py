"""Chats that ask for a picture, over images."""
