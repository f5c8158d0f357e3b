"""Random histories over the real services, with the promises asked after every step."""
