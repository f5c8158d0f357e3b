"""The face for a person at a shell: a command is parse, one verb of the `App`, print."""
