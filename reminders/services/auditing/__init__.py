"""The parts of the audit: what must not have happened, what every reminder lived through, and the tables themselves.

Invariant: looking changes nothing.
"""
