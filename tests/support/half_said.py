"""A program that takes the database to itself, says half a statement, and waits: until it is ended, or cut off."""

import os
import sys
import threading

from reminders.clock import SystemClock
from reminders.store.database import Database

HALF = b"P\x00\x00\x00\x10\x00SELECT 1\x00\x00\x00"
"""A whole Parse message, after which Bind and Execute are to come (postgresql.org/docs, 55.7): none of the server's own
limits counts there, neither on silence nor on the length of a statement."""


def main(url: str) -> None:
    with Database(url).write(SystemClock().now, "half") as tx:
        driver = tx.connection.connection.driver_connection
        os.write(driver.fileno(), HALF)  # type: ignore[union-attr] # psycopg's
        print("half of it is said", flush=True)  # noqa: T201 - for the test that reads it
        threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1])
