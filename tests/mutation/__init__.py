"""Checks the tests themselves: the code is damaged a little, time after time, and some test must notice."""
