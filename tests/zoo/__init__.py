"""Bugs made on purpose: each is a patch, and the tests named in it must catch it (`make zoo`)."""
