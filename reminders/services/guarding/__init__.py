"""Keeps a delivery from running where it must not: on an older or copied database, or under a clock that is wrong.

Invariant: what a person has to decide is decided by a person; until then nothing is sent, and facts are still recorded.
"""
