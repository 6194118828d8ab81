"""The simulator speaks each API as its official clients and the vendors' pages have it."""
