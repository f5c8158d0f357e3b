"""What patients say through their links, what follows from it at once, and what staff do about it.

Invariant: an answer is a fact that the plan obeys in the transaction that records it.
"""
