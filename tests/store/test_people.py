"""Clinics, patients and what they said: what is recorded is what is found."""

import datetime as dt

from reminders.domain.facts import Consent, Status
from reminders.domain.interval import Interval
from reminders.domain.lifecycle import Reason
from reminders.store import audit_trail, clinics, contacts, installation, patients
from reminders.store.database import Database
from tests.store.clinic import NOW, a_clinic, a_patient

DAY = dt.date(2026, 12, 24)


def test_a_clinic_is_found_as_it_was_added(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        added = clinics.add_clinic(
            tx,
            slug="linden",
            name="Linden",
            timezone="Europe/London",
            email="desk@linden.test",
            sending_days={5, 0},
            opens_at=0,
            closes_at=1440,
            closed_days=[DAY],
        )
    with database.read(NOW) as tx:
        assert clinics.clinic_by_slug(tx, "linden") == added == clinics.clinic_by_id(tx, added.id)
        assert clinics.clinic_by_slug(tx, "Linden") is None
        assert clinics.clinic_by_id(tx, 99) is None
    assert (added.sending_days, added.closed_days, added.language) == (frozenset({0, 5}), frozenset({DAY}), "en")


def test_a_clinic_changes_field_by_field(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        clinic = a_clinic(tx)
        clinics.change_clinic(tx, clinic.id, {"sending_days": [6], "paused_at": NOW, "name": "Linde"})
        clinics.change_clinic(tx, clinic.id, {})
        clinics.set_closed_days(tx, clinic.id, add=[DAY, DAY + dt.timedelta(1)], remove=[])
        clinics.set_closed_days(tx, clinic.id, add=[DAY], remove=[DAY + dt.timedelta(1), DAY + dt.timedelta(9)])
        a_clinic(tx, "ahorn")
        first, second = clinics.all_clinics(tx)
    assert (first.slug, first.closed_days) == ("ahorn", frozenset())
    assert (second.name, second.sending_days, second.paused_at) == ("Linde", frozenset({6}), NOW)
    assert second.closed_days == {DAY}


def test_practitioners_and_locations_belong_to_their_clinic(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        one, two = a_clinic(tx), a_clinic(tx, "ahorn")
        weiss = clinics.add_practitioner(tx, one.id, "Dr. Weiss")
        clinics.add_practitioner(tx, two.id, "Dr. Weiss")
        clinics.set_practitioner_left(tx, weiss.id, DAY)
        place = clinics.add_location(tx, one.id, "Mitte", phone="030")
        clinics.change_location(tx, place.id, {"phone": None, "address": "Gasse 1"})
        assert [(who.name, who.left_on) for who in clinics.practitioners(tx, one.id)] == [("Dr. Weiss", DAY)]
        assert [(where.phone, where.address) for where in clinics.locations(tx, one.id)] == [(None, "Gasse 1")]
        assert clinics.locations(tx, two.id) == []


def test_the_installation_is_kept_once(database: Database) -> None:
    with database.write(NOW, "init") as tx:
        assert installation.installation(tx) is None
        installation.save_installation(tx, "id", b"wrapped")
        installation.rewrap(tx, b"again")
        found = installation.installation(tx)
    assert found is not None
    assert (found.installation_id, found.wrapped_pepper, found.created_at) == ("id", b"again", NOW)


def test_a_patient_is_found_as_they_were_added(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        clinic = a_clinic(tx)
        added = a_patient(tx, clinic, "10/01 ä", birth_date=dt.date(1980, 2, 29), status="inactive", notes=[{"a": "b"}])
    with database.read(NOW) as tx:
        assert patients.patient_by_ref(tx, clinic.id, "10/01 ä") == added == patients.patient_by_id(tx, added.id)
        assert patients.patient_by_ref(tx, clinic.id, "10/01 a") is None
        assert patients.patient_by_ref(tx, clinic.id + 1, "10/01 ä") is None
    assert (added.status, added.consent) == (Status.INACTIVE, Consent.GRANTED)


def test_mail_goes_to_the_representative_where_there_is_one(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        patient = a_patient(tx, a_clinic(tx), email="own@mail.test")
        assert patient.recipient == "own@mail.test"
        patients.change_patient(tx, patient.id, {"representative_email": "parent@mail.test", "consent": "denied"})
        changed = patients.patient_by_id(tx, patient.id)
    assert (changed.recipient, changed.consent) == ("parent@mail.test", Consent.DENIED)


def test_thousands_of_patients_are_found_by_number_and_in_pages(database: Database) -> None:
    with database.write(NOW, "import") as tx:
        clinic, other = a_clinic(tx), a_clinic(tx, "ahorn")
        refs = [str(number) for number in range(2100)]
        ids = [a_patient(tx, clinic if number % 2 else other, str(number)).id for number in range(2100)]
        found = patients.patients_by_refs(tx, clinic.id, refs)
        assert sorted(found, key=int) == refs[1::2]
        assert len(patients.patients_by_ids(tx, ids)) == 2100
        assert list(patients.refs_of(tx, ids).values()) == refs
        seen: list[int] = []
        while page := patients.patients_of(tx, clinic.id, seen[-1] if seen else 0, limit=400):
            assert {clinic_id for _, clinic_id in page} == {clinic.id}
            seen += [patient_id for patient_id, _ in page]
        assert seen == ids[1::2]
        assert len(patients.patients_of(tx, limit=5000)) == 2100


def test_notes_are_kept_in_the_order_they_were_made(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        patient = a_patient(tx, a_clinic(tx))
        patients.add_note(tx, patient.id, "hold", "moves house")
        patients.add_note(tx, patient.id, "treatment 3", "wrong day")
        notes = patients.patient_by_id(tx, patient.id).notes
    assert [(note["about"], note["text"]) for note in notes] == [("hold", "moves house"), ("treatment 3", "wrong day")]


def test_an_opt_out_and_a_suppression_are_noted_once(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        clinic = a_clinic(tx)
        patient = a_patient(tx, clinic)
        assert contacts.add_opt_out(tx, patient, "cosmetic")
        assert not contacts.add_opt_out(tx, patient, "cosmetic")
        assert contacts.opt_outs(tx, patient.id) == {"cosmetic"}
        assert contacts.suppress(tx, clinic.id, "key", "all", Reason.COMPLAINED)
        assert not contacts.suppress(tx, clinic.id, "key", "all", Reason.COMPLAINED)
        assert contacts.suppress(tx, clinic.id, "key", "all", Reason.BOUNCED_ADDRESS)
        assert [one.reason for one in contacts.suppressions_of(tx, clinic.id, "key")] == [
            "complained",
            "bounced_address",
        ]
        assert contacts.lift_suppression(tx, clinic.id, "key", "all", Reason.COMPLAINED)
        assert not contacts.lift_suppression(tx, clinic.id, "key", "all", Reason.COMPLAINED)
        assert [one.reason for one in contacts.suppressions_of(tx, clinic.id, "key")] == [Reason.BOUNCED_ADDRESS]


def test_an_own_interval_replaces_the_one_before(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        patient = a_patient(tx, a_clinic(tx))
        contacts.set_own_interval(tx, patient, "face", Interval.parse("14w"))
        contacts.set_own_interval(tx, patient, "face", Interval.parse("15w"))
        contacts.set_own_interval(tx, patient, "", Interval.parse("5m"))
        assert contacts.own_intervals(tx, patient.id) == {"": Interval.parse("5m"), "face": Interval.parse("15w")}
        contacts.set_own_interval(tx, patient, "face", None)
        assert contacts.own_intervals(tx, patient.id) == {"": Interval.parse("5m")}


def test_holds_end_on_their_line_only(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        patient = a_patient(tx, a_clinic(tx))
        everywhere = contacts.add_hold(tx, patient, None, None, "asked")
        face = contacts.add_hold(tx, patient, "face", DAY, "pregnancy")
        assert contacts.end_holds(tx, patient.id, "sweat") == 0
        assert contacts.end_holds(tx, patient.id) == 1
        assert [(hold.id, hold.ended_at) for hold in contacts.holds(tx, patient.id)] == [
            (everywhere, NOW),
            (face, None),
        ]
        assert contacts.end_hold(tx, face)
        assert not contacts.end_hold(tx, face)


def test_many_patients_are_added_at_once_as_one_is(database: Database) -> None:
    with database.write(NOW, "import") as tx:
        clinic = a_clinic(tx)
        one = a_patient(tx, clinic, "0", phone="030")
        people = [
            (str(number), {"email": f"{number}@mail.test", "address_key": f"key {number % 700}"})
            for number in range(1, 1500)
        ]
        added = patients.add_patients(tx, clinic.id, people)
        assert patients.add_patients(tx, clinic.id, []) == {}
        found = patients.patients_by_refs(tx, clinic.id, added)
        assert {ref: patient.id for ref, patient in found.items()} == added
        assert found["7"].recipient == "7@mail.test"
        assert (found["7"].consent, found["7"].created_at) == (Consent.UNKNOWN, one.created_at)
        address = patients.address_code(tx.audit_key, added["7"], "key 7")
        codes = {"consent": "unknown", "status": "active", "address_key": address}
        told = {"fields": ["address_key", "email"], "codes": codes}
        assert audit_trail.entries(tx, patient_id=added["7"])[0].details == told
        assert audit_trail.verify(tx) is None
        shared = patients.patients_by_address_keys(tx, clinic.id, ["key 7", "key 8", "no key"])
        assert [patient.ref for patient in shared] == ["7", "8", "707", "708", "1407", "1408"]
        assert patients.patients_by_address_keys(tx, clinic.id + 1, ["key 7"]) == []
        patients.erase_patient(tx, added["7"])
        assert [patient.ref for patient in patients.patients_by_address_keys(tx, clinic.id, ["key 7"])] == [
            "707",
            "1407",
        ]
