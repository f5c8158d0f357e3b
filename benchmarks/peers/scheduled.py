"""Sends mail with APScheduler, one stored job per reminder, all of them due at one moment, under its defaults.

Usage: python scheduled.py DSN PORT COUNT FILE. Prints {"added_per_s", "sent", "seconds"} as JSON: `seconds` from the
moment at which the jobs were due to the last message.
"""

import datetime as dt
import json
import smtplib
import sys
import threading
import time
from pathlib import Path

from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler

PACE_GUESSED = 100
QUIET_S = 5.0
LONGEST_S = 300.0


class Sending:
    """What the jobs share: a connection for each thread, and how many messages went out."""

    port = 0
    content = b""
    sent = 0
    last = 0.0
    lock = threading.Lock()
    own = threading.local()


def job(number: int) -> None:
    """Send one message."""
    server = getattr(Sending.own, "server", None)
    if server is None:
        server = Sending.own.server = smtplib.SMTP("127.0.0.1", Sending.port)
    server.sendmail("hello@clinic.example", [f"p{number}@patients.example"], Sending.content)
    with Sending.lock:
        Sending.sent += 1
        Sending.last = time.monotonic()


def main(dsn: str, port: int, count: int, path: str) -> None:
    """Add the jobs, wait for their moment, and wait until nothing more is sent."""
    Sending.port, Sending.content = port, Path(path).read_bytes()
    store = SQLAlchemyJobStore(url=dsn.replace("postgresql:", "postgresql+psycopg:"))
    scheduler = BackgroundScheduler(jobstores={"default": store}, timezone="UTC")
    scheduler.start()
    began = time.monotonic()
    wait = dt.timedelta(seconds=3 + count / PACE_GUESSED)
    due = dt.datetime.now(dt.UTC) + wait
    for number in range(count):
        scheduler.add_job(job, "date", run_date=due, args=[number])
    added = time.monotonic() - began
    if added > wait.total_seconds():
        sys.exit("the jobs were due before all were added")
    due_at = Sending.last = began + wait.total_seconds()
    pause = threading.Event()
    while time.monotonic() < due_at + LONGEST_S:
        pause.wait(0.5)
        if Sending.sent == count or time.monotonic() > Sending.last + QUIET_S:
            break
    scheduler.shutdown(wait=False)
    seconds = Sending.last - due_at
    sys.stdout.write(json.dumps({"added_per_s": count / added, "sent": Sending.sent, "seconds": seconds}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
