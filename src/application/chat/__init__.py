"""The chat app: what people keep in it, and how a message becomes a request like any other."""
