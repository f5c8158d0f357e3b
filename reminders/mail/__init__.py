"""Words and wires: what a message says, the bytes it becomes, and how they reach a mail server."""
