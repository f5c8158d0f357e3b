"""The database as the migrations make it."""
