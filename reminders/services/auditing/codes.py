"""Compares what keeps messages back with the codes that the trail told last of it (promises 1 and 4).

Invariant: only what the trail holds a code of is compared; an entry from before codes were kept proves nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reminders.services.finding import Finding
from reminders.store import clinics, installation, reports
from reminders.store.audit_trail import Entry, entries
from reminders.store.database import Transaction
from reminders.store.evidence import Evidence
from reminders.store.patients import birth_code

LOOSENED = (
    "keep a copy of the database, and compare what is recorded with what you know before anything is planned or sent;"
    " restore the last backup that passes `reminders audit`"
)
_LOCK = "keep a copy of the database, and look into what was sent before anything more is; tell whoever runs the server"

Told = tuple[int, str]
"""A promise's number, and what is wrong."""


def of_the_person(known: Evidence, keys: Sequence[bytes]) -> Iterator[Told]:
    """Yield where a patient's status, consent or birth date is not what was recorded last; `keys` sign the trail."""
    person = known.person
    told = _told(entry for entry in known.trail if entry.subject == "patient")
    born = [birth_code(key, person.id, person.birth_date) for key in keys]
    stored: dict[str, list[str | None]] = {"status": [person.status], "consent": [person.consent], "birth_date": born}
    for name, code in told.items():
        if name in stored and code not in stored[name]:
            yield 4, f"the patient's {name} is not the one that the audit trail tells of"


def of_the_holds(known: Evidence) -> Iterator[Told]:
    """Yield the holds that end on another day, or stop another line, than was recorded."""
    added = {e.subject_id: e.told for e in known.trail if e.subject == "hold" and e.action == "add"}
    for pause in known.pauses:
        told = added.get(pause.id, {})
        if "until" in told and told["until"] != (str(pause.until) if pause.until else None):
            yield 4, f"hold {pause.id} lasts until another day than the audit trail says"
        if "line" in told and told["line"] != pause.line:
            yield 4, f"hold {pause.id} is of another line than the audit trail says"


def of_the_clinics(tx: Transaction) -> Iterator[Finding]:
    """Yield the clinics whose rule for an unknown consent is not the one recorded last."""
    for clinic in clinics.readable_clinics(tx):
        told = _told(entries(tx, subject="clinic", subject_id=clinic.id))
        if "unknown_consent" in told and told["unknown_consent"] != clinic.unknown_consent:
            problem = "its rule for patients of unknown consent is not the one that the audit trail tells of"
            yield Finding(4, clinic.slug, None, None, problem, LOOSENED)


def of_the_lock(tx: Transaction) -> Iterator[Finding]:
    """Yield where the lock on sending is not as it was set or lifted last, and a home whose places are gone."""
    standing = installation.standing(tx)
    if standing is None:
        return
    changes = [e for e in entries(tx, subject="installation") if e.action in ("lock", "unlock")]
    told = changes[-1].told.get("because") if changes and changes[-1].action == "lock" else None
    if told != standing.locked_because or (told is None) != (standing.locked_at is None):
        problem = "the lock on sending is not as the audit trail tells: it was set or lifted in its row itself"
        yield Finding(1, None, None, None, problem, _LOCK)
    if reports.is_without_places(tx):
        problem = "the places that deliveries ran from are gone: an older copy of this database would go unnoticed"
        yield Finding(1, None, None, None, problem, _LOCK)


def _told(trail: Iterable[Entry]) -> dict[str, object]:
    """Return the last code of each name; a change without a code, from before they were kept, leaves none."""
    told: dict[str, object] = {}
    for entry in trail:
        fields, codes = entry.told.get("fields"), entry.told.get("codes")
        for name in fields if isinstance(fields, list) else []:
            told.pop(str(name), None)
        if isinstance(codes, Mapping):
            told.update(codes)
        if entry.action == "erase" and "birth_date" in told:
            told["birth_date"] = None
    return told
