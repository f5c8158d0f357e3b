"""The commands: what is parsed, printed and returned."""
