"""The benchmarks run, and what they write is what the page says."""
