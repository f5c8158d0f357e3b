"""A clinic's own templates, from the file to the trial that they must pass.

Invariant: what is not proven yet is read and filled in a confined process only.
"""
