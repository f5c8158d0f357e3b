"""Compares what keeps messages back with the codes that the trail told last of it (promises 1 to 4 and 7).

Invariant: only what the trail holds a code of is compared; an entry from before codes were kept proves nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from reminders.services.finding import Finding
from reminders.store import clinics, installation, reports
from reminders.store.answers import ABOUT_WRITING, StoredAnswer
from reminders.store.audit_trail import Entry, entries
from reminders.store.database import Transaction
from reminders.store.evidence import Booking, EntryRow, Evidence
from reminders.store.fact_codes import answer_code, appointment_code, run_code, treatment_code
from reminders.store.patients import address_code, birth_code

LOOSENED = (
    "keep a copy of the database, and compare what is recorded with what you know before anything is planned or sent;"
    " restore the last backup that passes `reminders audit`"
)
_LOCK = "keep a copy of the database, and look into what was sent before anything more is; tell whoever runs the server"

_UNPAUSED = (
    4,
    "the audit trail tells that it was paused, and its row does not: it was resumed in the row itself",
    "run `reminders clinic pause` before anything is sent; keep a copy of the database, and look into what went out",
)
_PAUSED = (
    2,
    "it is paused in its row itself, and the audit trail does not tell of it: nothing of it is sent",
    "keep a copy of the database; `reminders clinic resume`, and `pause` after it if nothing is to be sent, enters it",
)
_LIMIT = "keep a copy of the database; enter the limit that is to hold with `reminders clinic set --daily-limit`"

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


def is_another_address(known: Evidence, keys: Sequence[bytes]) -> bool:
    """Tell whether the address is not the one that this patient was entered with last, whoever it belongs to."""
    told = _told(entry for entry in known.trail if entry.subject == "patient")
    real = {address_code(key, known.person.id, known.person.address_key) for key in keys}
    return "address_key" in told and told["address_key"] not in real


def of_the_holds(known: Evidence) -> Iterator[Told]:
    """Yield the holds that end on another day, or stop another line, than was recorded."""
    added = {e.subject_id: e.told for e in known.trail if e.subject == "hold" and e.action == "add"}
    for pause in known.pauses:
        told = added.get(pause.id, {})
        if "until" in told and told["until"] != (str(pause.until) if pause.until else None):
            yield 4, f"hold {pause.id} lasts until another day than the audit trail says"
        if "line" in told and told["line"] != pause.line:
            yield 4, f"hold {pause.id} is of another line than the audit trail says"


def of_the_facts(known: Evidence, keys: Sequence[bytes]) -> Iterator[Told]:
    """Yield the treatments, appointments and answers whose days or lines are not those recorded; `keys` sign the trail.

    The plan made anew from a changed row agrees with it: only the trail can tell.
    """
    told: dict[tuple[str, int | None], list[Entry]] = defaultdict(list)
    for entry in known.trail:
        told[entry.subject, entry.subject_id].append(entry)
    for given in known.entries:
        yield from _of_the_treatment(given, told["treatment", given.id], keys)
    for booked in known.bookings:
        yield from _of_the_appointment(booked, told["appointment", booked.id], keys)
    for said in known.answers:
        yield from _of_the_answer(said, told["answer", said.id], keys)


def _of_the_treatment(given: EntryRow, trail: Sequence[Entry], keys: Sequence[bytes]) -> Iterator[Told]:
    real = {treatment_code(key, given.id, given.protocol, given.day, given.kind) for key in keys}
    if any(code not in real for code in _codes(trail, "code")):
        yield 3, f"treatment {given.id} has another day, protocol or kind than the audit trail says"
    runs = {run_code(key, given.id, given.episode_id, given.line, given.continues_id) for key in keys}
    if any(code not in runs for code in _codes(trail, "run")[-1:]):
        told = f"treatment {given.id} is of another line or episode, or continues another episode"
        yield 4, f"{told}, than the audit trail says"


def _of_the_appointment(booked: Booking, trail: Sequence[Entry], keys: Sequence[bytes]) -> Iterator[Told]:
    real = {appointment_code(key, booked.id, booked.line, booked.day) for key in keys}
    if any(code not in real for code in _codes(trail, "code")):
        yield 4, f"appointment {booked.id} is of another day or line than the audit trail says"
    noted = _codes(trail, "noted_on")[-1:]
    if noted and noted != [str(booked.noted_on)]:
        yield 4, f"the outcome of appointment {booked.id} was noted on another day than the audit trail says"


def _of_the_answer(said: StoredAnswer, trail: Sequence[Entry], keys: Sequence[bytes]) -> Iterator[Told]:
    lines = None if said.kind in ABOUT_WRITING else said.lines
    real = {answer_code(key, said.id, said.kind, lines, said.day, said.message_pk) for key in keys}
    if any(code not in real for code in _codes(trail, "code")):
        yield 4, f"answer {said.id} is of another kind, day or line than the audit trail says"


def _codes(trail: Iterable[Entry], name: str) -> list[str]:
    """Return what the entries tell under a name, oldest first; those from before it was kept tell nothing."""
    return [str(entry.told[name]) for entry in trail if name in entry.told]


def of_the_clinics(tx: Transaction) -> Iterator[Finding]:
    """Yield the clinics whose rule for an unknown consent, pause or daily limit is not the one recorded last."""
    for clinic in clinics.readable_clinics(tx):
        told = _told(entries(tx, subject="clinic", subject_id=clinic.id))
        if "unknown_consent" in told and told["unknown_consent"] != clinic.unknown_consent:
            problem = "its rule for patients of unknown consent is not the one that the audit trail tells of"
            yield Finding(4, clinic.slug, None, None, problem, LOOSENED)
        if "paused_at" in told and told["paused_at"] != (clinic.paused_at is not None):
            promise, problem, advice = _UNPAUSED if told["paused_at"] else _PAUSED
            yield Finding(promise, clinic.slug, None, None, problem, advice)
        if "daily_limit" in told and told["daily_limit"] != clinic.daily_limit:
            # a lower one keeps back what is due, a higher one lets out more in a day than anybody wished
            promise = 2 if _is_lower(clinic.daily_limit, told["daily_limit"]) else 7
            problem = "its daily limit is not the one that the audit trail tells of"
            yield Finding(promise, clinic.slug, None, None, problem, _LIMIT)


def _is_lower(limit: int | None, told: object) -> bool:
    """Tell whether a daily limit is lower than the one told (None: there is none)."""
    return limit is not None and (not isinstance(told, int) or limit < told)


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
        if entry.action == "erase":
            told |= dict.fromkeys(told.keys() & {"birth_date", "address_key"})
    return told
