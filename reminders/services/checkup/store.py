"""Examines the database, the secret key, the clock, the catalogue and what waits for somebody.

Invariant: nothing is written, and a database that is missing or broken is reported like anything else.
"""

import datetime as dt
import os
import stat
from collections.abc import Iterator
from contextlib import suppress

from reminders.domain.backlog import overdue_before
from reminders.domain.clock_check import BUILT_ON
from reminders.domain.lifecycle import Reason, State
from reminders.services import keys as ring
from reminders.services.calendar import rules_for
from reminders.services.checkup.check import Check, Examined
from reminders.store import clinics, installation, lapses, protocols, reminders, reports
from reminders.store.apart import ODD_DATA
from reminders.store.database import (
    Database,
    Transaction,
    check_ready,
    current_revision,
    database_now,
    quick_check,
)
from reminders.store.engine import sqlite_path
from reminders.store.leftovers import leftovers
from reminders.store.soundness import damaged_rows, room_left

_OTHERS_MAY = stat.S_IRWXG | stat.S_IRWXO


def database_checks(examined: Examined) -> Iterator[Check]:
    """Yield whether the database is there, of this version, sound, safe to write, and has room; and open it."""
    url = examined.settings.database_url
    check_ready(url)
    opened = Database(url, busy_ms=1000)
    yield Check("database", ok=True, said=f"{opened.url}, version {current_revision(url)}")
    wrong = quick_check(url)
    if wrong:
        said = f"it is damaged: {'; '.join(wrong[:3])}"
        yield Check("database file", ok=False, said=said, advice="stop everything and restore the last backup")
        opened.close()
        return
    examined.database = opened
    sound = "no damage found" if opened.url.startswith("sqlite") else "PostgreSQL looks after its own files"
    yield Check("database file", ok=True, said=sound)
    with opened.read(examined.now) as tx:
        yield from _journal(tx)
        yield _rows(tx)
    yield from _room(url)
    yield from _left(url, examined.now)


def _left(url: str, now: dt.datetime) -> Iterator[Check]:
    """Yield what killed copies left beside the database, where there is anything."""
    path, found = sqlite_path(url), list[str]()
    with suppress(OSError):
        found += [left.name for left in leftovers(path.parent, now.timestamp())] if path else []
    if found:
        said = f"copies that were cut short lie beside the database, with names of patients in them: {', '.join(found)}"
        advice = "delete them, or make a `reminders backup` into the same folder, which does it"
        yield Check("leftovers", ok=None, said=said, advice=advice)


def _journal(tx: Transaction) -> Iterator[Check]:
    mode = reports.journal_mode(tx)
    if mode is not None:
        advice = "keep the database on a disk of this machine, not on a network share"
        yield Check("journal", ok=mode == "wal", said=f"journal mode {mode}", advice="" if mode == "wal" else advice)


def _room(url: str) -> Iterator[Check]:
    room = room_left(url)
    if room is not None:
        fine = room.enough and room.writable
        said = f"{room.free // (1024 * 1024)} MB free where the database is{'' if room.writable else ', read-only'}"
        advice = "" if fine else "make room, and let it be written to: nothing is sent that could not be recorded"
        yield Check("disk space", ok=fine, said=said, advice=advice)


def _rows(tx: Transaction) -> Check:
    found = damaged_rows(tx)
    advice = "these rows were damaged, or changed by hand: restore the last backup" if found else ""
    return Check("rows", ok=not found, said=", ".join(found) or "every row can be read", advice=advice)


def key_checks(examined: Examined) -> Iterator[Check]:
    """Yield whether there is a secret key, whether it opens the database, and whether others may read its file."""
    keys = ring.read_ring(examined.settings, needed=examined.database is not None)
    if examined.database is None:
        yield Check("secret key", None, "there is one; whether it is right cannot be tried without the database")
    else:
        with examined.database.read(examined.now) as tx:
            known = installation.installation(tx)
        if known is None:
            yield Check("secret key", ok=False, said="the database was never finished", advice="run `reminders init`")
        else:
            examined.keys = ring.Keys(ring.unwrap(known.wrapped_pepper, keys))
            yield Check("secret key", ok=True, said="it opens the database")
    path = examined.settings.secret_key_file
    if not examined.settings.secret_key and os.name == "posix":
        mode = stat.S_IMODE(path.stat().st_mode)
        private = not mode & _OTHERS_MAY
        advice = "" if private else f"run `chmod 600 {path}`: whoever reads it can sign the audit trail"
        yield Check("key file", ok=private, said=f"{path} has mode {mode:04o}", advice=advice)


def clock_check(examined: Examined) -> Check:
    """Say whether the machine's clock can be right: not before this program, nor before what was recorded."""
    now, advice = examined.now, "set the machine's clock, and let it keep time from the network"
    said = f"{now:%Y-%m-%d %H:%M} UTC"
    if now < BUILT_ON:
        return Check("clock", ok=False, said=f"{said}, which is before this program was made", advice=advice)
    newest = None
    if examined.database is not None:
        with examined.database.read(now) as tx:
            newest = reports.newest_entry(tx)
    if newest is not None and now < newest:
        return Check(
            "clock", ok=False, said=f"{said}, but something was recorded at {newest:%Y-%m-%d %H:%M}", advice=advice
        )
    return Check("clock", ok=True, said=said)


def catalogue_check(tx: Transaction) -> Check:
    """Say how many protocols there are."""
    stored = protocols.current(tx).values()
    on = sum(protocol.active for protocol in stored)
    advice = "" if on else "run `reminders init`, or import a catalogue with `reminders protocol import FILE`"
    return Check("catalogue", ok=on > 0, said=f"{on} protocols switched on, {len(stored) - on} off", advice=advice)


def waiting_checks(tx: Transaction) -> Iterator[Check]:
    """Yield what is late, unclear, failed or held, each with what to do about it."""
    overdue, all_of, backlogs = 0, "`reminders release ID`", reminders.held_as_backlog(tx)
    for clinic in clinics.readable_clinics(tx):
        if clinic.id in backlogs:
            all_of += f", all of clinic {clinic.slug} with `reminders release --clinic {clinic.slug} --all`"
        if clinic.paused_at is None:
            with suppress(*ODD_DATA):  # said above, of the clinic
                before = overdue_before(rules_for(tx, clinic).calendar, tx.now)
                overdue += reminders.overdue_count(tx, clinic.id, before)
    counts = reminders.counts_by_state(tx)
    by_state = {state: sum(count for (found, _), count in counts.items() if found is state) for state in State}
    broken = counts.get((State.HELD, Reason.TEMPLATE_BROKEN), 0)
    for name, count, advice in (
        ("overdue", overdue, "due before the previous sending day and not sent: is `reminders deliver` run every day?"),
        (
            "unknown",
            by_state[State.UNKNOWN],
            "ask the mail server's log, then `reminders settle ID --as sent --why CODE`, or `--as planned`",
        ),
        (
            "abandoned",
            sum(one.state is State.HANDED_OVER for one in lapses.lapsed(tx, database_now(tx))),
            "nobody knows what their mail server said: the clock or the next `reminders deliver` makes them `unknown`",
        ),
        ("failed", by_state[State.FAILED], "mend the address or the server, then `reminders retry ID`"),
        ("held", by_state[State.HELD] - broken, f"look with `reminders list --state held`, then {all_of}"),
        (
            "template-held",
            broken,
            "`reminders template check` and `preview` say what is wrong; once that is mended they go by themselves",
        ),
    ):
        yield Check(f"{name} reminders", ok=None if count else True, said=str(count), advice=advice if count else "")
