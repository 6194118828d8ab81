"""Availability policies: which keys, models and providers may be asked, learned from what they answered."""
