"""Every fault we know of, made on purpose: a row of the matrix each."""
