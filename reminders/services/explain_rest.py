"""Says in plain words where a patient's mail waits for a mail server: the clinic's, or those of their own domain.

Invariant: a sentence holds moments and codes, never an address, a domain or a password.
"""

from reminders.services.breaker import standing_of
from reminders.services.domains import domain_row
from reminders.services.explain import fault_words, moment_words
from reminders.services.keys import Keys
from reminders.services.ways import ClinicTransportClosed, opened
from reminders.store import clinic_transports, patients, transports
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction


def rests(tx: Transaction, keys: Keys, shared: str | None, clinic: Clinic, patient_id: int) -> tuple[str, ...]:
    """Return what keeps a patient's mail waiting; `shared` is the name of the transport of the settings, if one is."""
    own = [one for one in clinic_transports.sealed_ones(tx) if one.clinic_id == clinic.id]
    try:
        way = opened(keys, own[0]).breakers.name if own else shared
    except ClinicTransportClosed:
        return (
            f"The transport of clinic {clinic.slug} cannot be opened, and nothing goes out until it is given again.",
        )
    if way is None:
        return ()
    recipient = patients.patient_by_id(tx, patient_id).recipient
    domain = domain_row(keys, way, recipient) if recipient else ""
    known = transports.breakers(tx, [way, domain])
    ends = {name: end for name, state in known.items() if (end := standing_of(state, tx.now, 1)[0])}
    notes = []
    if way in ends:
        fault, until = known[way].fault, moment_words(ends[way], clinic.timezone)
        notes.append(f"The clinic's mail server rests until {until} ({fault_words(fault) if fault else 'no details'}).")
    if domain in ends:
        left_until = moment_words(ends[domain], clinic.timezone)
        notes.append(f"The mail server of the patient's domain put mail off: it is left alone until {left_until}.")
    return tuple(notes)
