"""What an operator writes of providers and keys, by whatever way, and what becomes of it."""
