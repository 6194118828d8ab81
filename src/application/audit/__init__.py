"""The audit trail: what is written into it and how it is read."""
