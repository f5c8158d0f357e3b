"""Everything that is kept: the only floor that knows SQL. Rows never leave it; frozen dataclasses do."""
