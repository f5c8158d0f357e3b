"""Sends one prepared message over and over with smtplib, on one connection: all that is left when nothing is thought.

Usage: python prebuilt.py PORT COUNT FILE. It needs nothing but the standard library.
"""

import smtplib
import sys
from pathlib import Path


def main(port: int, count: int, path: str) -> None:
    """Send it `count` times."""
    content = Path(path).read_bytes()
    with smtplib.SMTP("127.0.0.1", port) as server:
        for number in range(count):
            server.sendmail("hello@clinic.example", [f"p{number}@patients.example"], content)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
