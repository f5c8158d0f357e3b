"""The invented clinic of the demo: its people, its visits, and what happens in two months.

Invariant: the same moment gives the same clinic; nobody in it exists.
"""
