"""What is measured: a module for each part of docs/performance.md; a part is run alone with `--only`."""
