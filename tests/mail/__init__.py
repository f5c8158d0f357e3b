"""The words and the wires."""
