"""What makes a sender's mail believed: its entries in the name service, and the signature on what it sends.

Invariant: only this room asks the name service.
"""
