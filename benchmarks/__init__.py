"""How fast it is, beside others: every figure of docs/performance.md comes from here (`make bench`)."""
