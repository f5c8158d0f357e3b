"""The peers, as programs of their own: they run from an environment in which the product is not installed."""
