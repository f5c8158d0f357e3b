"""Reads what a patient would see against the advertising rules of a jurisdiction, through tricks of spelling.

Invariant: the lists are data with sources; nothing here holds a word of its own.
"""
