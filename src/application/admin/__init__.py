"""What an admin may see and change: one class a resource, every write in one unit of work."""
