"""The store, on a real database."""
