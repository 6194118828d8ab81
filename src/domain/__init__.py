"""The language of the gateway: entities, values, errors and ports. Imports nothing of ours, no framework."""
