"""One verb per file: the order of its steps and its transactions. What is decided is decided in the domain."""
