"""What providers let one download of their bills, read."""
