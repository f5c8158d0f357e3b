"""Examines an installation, piece by piece, and says how to mend it.

Invariant: nothing is changed, and no answer holds a patient's data, a key or a password.
"""
