"""The face for a person in a browser: the pages behind the links of a message."""
