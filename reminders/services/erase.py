"""Erases a patient: every column that tells who they are, the messages, the notes; and the bytes in SQLite's files.

Invariant (promise 10): it ends well only when the file was rewritten and its log emptied, so that no page still holds
what was blanked. The suppression of the address stays, as a keyed hash, so that no import has them written to.
"""

from dataclasses import dataclass

from reminders.clock import Clock
from reminders.domain.facts import OPT_OUT_ALL
from reminders.domain.lifecycle import Reason
from reminders.errors import CannotDo
from reminders.services.find import the_clinic, the_patient
from reminders.services.plan import plan_patients
from reminders.store import contacts, patients
from reminders.store.database import Database, rewrite_files
from reminders.store.patients import Patient

TRIES = 20


class BytesRemain(CannotDo):
    """The patient is erased from every row, but another program uses the database, whose log may still hold bytes.

    Stop it and run the command again with --patient {ref}.
    """


@dataclass(frozen=True, slots=True)
class Erased:
    """The ref under which what remains is kept, and whether the files were cleaned (SQLite) or only the rows.

    `also_stopped` counts the other patients of the address: none of them is written to there any more.
    """

    ref: str
    files_cleaned: bool
    also_stopped: int = 0


def erase(database: Database, clock: Clock, clinic_slug: str, ref: str) -> Erased:
    """Erase one patient of a clinic; asked again after `BytesRemain` by the new ref, it goes on with the files.

    1. One transaction: suppress the address, blank the rows, withdraw the reminders. 2. Rewrite the file and empty its
    log, since pages keep copies of what was blanked. After a crash between, the same command by the new ref goes on.
    """
    sharing: list[Patient] = []
    with database.write(clock.now, "erase") as tx:
        clinic = the_clinic(tx, clinic_slug)
        known = patients.patient_by_ref(tx, clinic.id, ref)
        if known is None or known.erased_at is None:
            patient = the_patient(tx, clinic, ref)
            if patient.address_key:
                contacts.suppress(tx, clinic.id, patient.address_key, OPT_OUT_ALL, Reason.PATIENT_ERASED)
            patients.erase_patient(tx, patient.id)
            sharing = patients.patients_by_address_keys(tx, clinic.id, [patient.address_key or ""])
            plan_patients(tx, clinic, [patient.id, *(other.id for other in sharing)])
            ref = f"erased-{patient.id}"
    if not database.url.startswith("sqlite"):
        return Erased(ref, files_cleaned=False, also_stopped=len(sharing))
    for _ in range(TRIES):
        if rewrite_files(database):
            return Erased(ref, files_cleaned=True, also_stopped=len(sharing))
    raise BytesRemain(ref=ref)
