"""Who may do what: authentication and access; limits and budgets get their rooms here."""
