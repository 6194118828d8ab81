"""What was used and what it cost: sums by group, and the log of single requests."""
