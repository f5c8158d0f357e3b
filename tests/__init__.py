"""The tests, a folder per floor; names are sentences, parts are real, time is handed in."""
