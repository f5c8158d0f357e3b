"""The tables by which the program watches over itself: where deliveries ran, and whether the clock ticks.

Invariant: a row says nothing of patients or clinics; a place is named by a random word, never by its machine.
"""

from sqlalchemy import Column, Integer, String, Table

from reminders.store.columns import Moment, metadata

places = Table(
    "places",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("fences", Integer, nullable=False, server_default="0"),
    Column("first_seen", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("worker", String(64), primary_key=True),
    Column("started_at", Moment, nullable=False),
    Column("ticked_at", Moment, nullable=False),
    Column("stopped_at", Moment),
)
