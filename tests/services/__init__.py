"""The verbs, over a real database."""
