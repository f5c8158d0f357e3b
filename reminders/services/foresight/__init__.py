"""What would be sent if nothing changed: the real plan and the real delivery, run ahead of time on a copy.

Invariant: nothing is sent and nothing is stored; the copy holds no names and is gone when the answer is there.
"""
