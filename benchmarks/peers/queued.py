"""Sends mail with Procrastinate: a job per message, or a job per hundred.

Usage: python queued.py prepare|work DSN PORT COUNT FILE BATCH CONCURRENCY. `prepare` makes its schema and defers the
jobs; `work` runs one worker until nothing is left.
"""

import asyncio
import smtplib
import sys
import threading
from pathlib import Path

import procrastinate


class Sending:
    """What the jobs of a worker share: a connection for each thread."""

    port = 0
    content = b""
    own = threading.local()


def tasks(app: procrastinate.App) -> procrastinate.tasks.Task:
    """Register the one task: it sends the messages from `first` on."""

    @app.task(name="send")
    def send(first: int, count: int) -> None:
        server = getattr(Sending.own, "server", None)
        if server is None:
            server = Sending.own.server = smtplib.SMTP("127.0.0.1", Sending.port)
        for number in range(first, first + count):
            server.sendmail("hello@clinic.example", [f"p{number}@patients.example"], Sending.content)

    return send


def prepare(dsn: str, count: int, batch: int) -> None:
    """Make the schema and defer every job."""
    app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=dsn))
    task = tasks(app)
    with app.open():
        app.schema_manager.apply_schema()
        jobs = [{"first": first, "count": min(batch, count - first)} for first in range(0, count, batch)]
        for first in range(0, len(jobs), 1000):
            task.batch_defer(*jobs[first : first + 1000])


async def work(dsn: str, concurrency: int) -> None:
    """Work until nothing is left."""
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=dsn))
    tasks(app)
    async with app.open_async():
        await app.run_worker_async(wait=False, concurrency=concurrency, install_signal_handlers=False)


def main() -> None:
    """Do what the command line says."""
    what, dsn, port, count, path, batch, concurrency = sys.argv[1:]
    Sending.port, Sending.content = int(port), Path(path).read_bytes()
    if what == "prepare":
        prepare(dsn, int(count), int(batch))
    else:
        asyncio.run(work(dsn, int(concurrency)))


if __name__ == "__main__":
    main()
