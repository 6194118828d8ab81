"""People at the HTTP edge: the session cookie, what protects it, and the routes of sign-in."""
