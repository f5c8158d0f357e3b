"""The clock: the face that nobody sees. It ticks, watches over its own ticking, and ends in order."""
