"""The rules of the house: floors, sizes, locks, and what no file may name."""
