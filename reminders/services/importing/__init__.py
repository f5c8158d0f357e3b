"""Brings in a clinic's export: read and judged as a whole, then committed piece by piece.

Invariant: a row is either taken, known already, or reported with its column and problem.
"""
