"""A simulated provider: OpenAI's wire format over real sockets, with scripted answers and scripted faults."""
