"""Finds what a person named, or says in one sentence that it is not there.

Invariant: everything that belongs to a clinic is looked up together with it, so that no ref reaches another clinic.
"""

from contextlib import suppress
from zoneinfo import ZoneInfo

from reminders.domain.protocol import Protocol, line_of
from reminders.errors import BadInput
from reminders.store import clinics, patients, protocols, treatments
from reminders.store.apart import ODD_DATA
from reminders.store.clinics import Clinic, Practitioner
from reminders.store.database import Transaction
from reminders.store.faults import DamagedRow, in_our_words
from reminders.store.patients import Patient


class NoSuchClinic(BadInput):
    """There is no clinic {slug}: `reminders clinic list` shows the clinics, `reminders clinic add` makes one."""


class ClinicUnreadable(DamagedRow):
    """What is stored of the clinic {slug} itself cannot be read: it was damaged, or changed by hand.

    Nothing was done with it. `reminders doctor` says where; restore the last backup.
    """


class ClinicWithoutZone(ClinicUnreadable):
    """What is stored as the time zone of clinic {slug} is none: it was damaged, or changed by hand.

    Nothing was done with it. `reminders clinic set {slug} --timezone ZONE` mends it. Then run `reminders doctor`: where
    it finds more that is damaged, restore the last backup.
    """


class NoSuchPatient(BadInput):
    """There is no patient {ref} at clinic {clinic}: check the ref, or enrol them with `reminders patient add`."""


class PatientErased(BadInput):
    """Patient {ref} of clinic {clinic} was erased: nothing more can be recorded."""


class NoSuchProtocol(BadInput):
    """There is no protocol {code}: `reminders protocol list` shows the codes."""


class ProtocolSwitchedOff(BadInput):
    """Protocol {code} is switched off until a practitioner sets it: export it, set `active: true`, and import it."""


class NoSuchPractitioner(BadInput):
    """There is no such practitioner at clinic {clinic}: `reminders clinic list` shows who is there.

    `reminders clinic set {clinic} --practitioner NAME` adds one.
    """


class NoSuchLine(BadInput):
    """There is no line {line}: the catalogue has {known}."""


def the_clinic(tx: Transaction, slug: str) -> Clinic:
    """Return the clinic, or raise `NoSuchClinic`, or `ClinicUnreadable` where its row was damaged."""
    return with_zone(clinic_named(tx, slug))


def clinic_named(tx: Transaction, slug: str) -> Clinic:
    """Return the clinic as `the_clinic` does, even one whose time zone is none: that can be set anew."""
    try:
        with in_our_words():
            found = clinics.clinic_by_slug(tx, slug)
    except UnicodeEncodeError:  # what was typed is no text
        raise
    except ODD_DATA:
        raise ClinicUnreadable(slug=slug) from None
    if found is None:
        raise NoSuchClinic(slug=slug)
    return found


def with_zone(clinic: Clinic) -> Clinic:
    """Return the clinic, or raise `ClinicWithoutZone`."""
    try:
        ZoneInfo(clinic.timezone)
    except (LookupError, ValueError, OSError):  # no such file, no name of one, or the name of a folder
        raise ClinicWithoutZone(slug=clinic.slug) from None
    return clinic


def sound_clinics(tx: Transaction) -> list[Clinic]:
    """Return every clinic whose row can be read, by slug, in one look where that is all of them."""
    try:
        with in_our_words():
            return clinics.all_clinics(tx)
    except ODD_DATA:
        return clinics.readable_clinics(tx)


def readable_clinics(tx: Transaction) -> list[Clinic]:
    """Return every clinic whose row can be read and whose time zone is one, by slug."""
    found: list[Clinic] = []
    for clinic in clinics.readable_clinics(tx):
        with suppress(ClinicWithoutZone):
            found.append(with_zone(clinic))
    return found


def clinic_of(tx: Transaction, clinic_id: int) -> Clinic:
    """Return the clinic that a stored row refers to; a constraint keeps it there."""
    found = clinics.clinic_by_id(tx, clinic_id)
    if found is None:
        raise NoSuchClinic(slug=clinic_id)
    return found


def the_patient(tx: Transaction, clinic: Clinic, ref: str) -> Patient:
    """Return the clinic's patient, or raise `NoSuchPatient` or `PatientErased`."""
    found = patients.patient_by_ref(tx, clinic.id, ref)
    if found is None:
        raise NoSuchPatient(ref=ref, clinic=clinic.slug)
    if found.erased_at is not None:
        raise PatientErased(ref=ref, clinic=clinic.slug)
    return found


def the_protocol(tx: Transaction, code: str) -> Protocol:
    """Return the current version of a protocol that is switched on."""
    found = protocols.current(tx).get(code)
    if found is None:
        raise NoSuchProtocol(code=code)
    if not found.active:
        raise ProtocolSwitchedOff(code=code)
    return found


def the_practitioner(tx: Transaction, clinic: Clinic, name: str) -> Practitioner:
    """Return the clinic's practitioner of this name, whatever its case and blanks."""
    wanted = " ".join(name.split()).casefold()
    for found in clinics.practitioners(tx, clinic.id):
        if " ".join(found.name.split()).casefold() == wanted:
            return found
    raise NoSuchPractitioner(clinic=clinic.slug)


def the_line(tx: Transaction, patient: Patient, line: str | None) -> str | None:
    """Return the key of the line a person named for a patient; None is every line.

    A name that several groups use ("face" of toxins and of fillers) means the one the patient was treated on; where
    that does not decide it, it stays a name and stands for each of them. Raises `NoSuchLine`.
    """
    known = {protocol.clock for protocol in protocols.current(tx).values()}
    if line is None or line in known:
        return line
    meant = {clock for clock in known if line_of(clock) == line}
    if not meant:
        raise NoSuchLine(line=line, known=", ".join(sorted({line_of(clock) for clock in known})))
    treated = meant & {episode.line for episode in treatments.episodes_of(tx, patient.id)}
    for found in (meant, treated):
        if len(found) == 1:
            return found.pop()
    return line
