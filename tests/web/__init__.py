"""Tests of the face for browsers."""
