"""What models cost: the book that every call is priced from, and how admins change it."""
