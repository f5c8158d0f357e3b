"""One check of an installation, and what the checks share: the settings, the moment, the database once it was opened.

Invariant: no question ends the examination; one that cannot be answered is itself a finding.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from reminders.errors import RemindersError
from reminders.mail.sender.finding import Entry
from reminders.mail.transport import Transport
from reminders.services.keys import Keys
from reminders.settings import Settings
from reminders.store.database import Database


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, whether it is right (None: it works, but look at it), what was seen, and how to mend it."""

    name: str
    ok: bool | None
    said: str
    advice: str = ""
    paste: Entry | None = None
    """What is to be entered where the domain's name service is kept."""


@dataclass(slots=True)
class Examined:
    """An installation under examination. `database` and `keys` stay None where they cannot be used.

    `clinic` is the slug of the only clinic to look at; None is all of them.
    """

    settings: Settings
    now: dt.datetime
    transport: Transport | None = None
    database: Database | None = None
    keys: Keys | None = None
    clinic: str | None = None


def asked(name: str, question: Callable[[], Iterable[Check]]) -> Iterator[Check]:
    """Yield a question's checks; where it breaks, a check that says so."""
    try:
        yield from question()
    except RemindersError as error:
        yield Check(name, ok=False, said=str(error))
    except Exception as error:  # noqa: BLE001 - a broken installation breaks in ways nobody listed; its text may hold data
        said = f"it could not be looked at ({type(error).__name__})"
        yield Check(name, ok=False, said=said, advice="mend what is said above first, then ask again")
