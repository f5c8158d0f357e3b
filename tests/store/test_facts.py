"""The planner's facts: equal to what was recorded, for many patients at once, in a fixed number of queries."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, update

from reminders.domain.answers import Answer, AnswerKind
from reminders.domain.facts import (
    Appointment,
    Consent,
    Episode,
    Hold,
    Kind,
    Outcome,
    PatientFacts,
    Status,
    Treatment,
)
from reminders.domain.interval import Interval
from reminders.domain.lifecycle import Reason, State
from reminders.store import answers, appointments, audit_trail, contacts, patients, schema, treatments
from reminders.store.answers import Said
from reminders.store.database import Database, Transaction
from reminders.store.facts import facts
from tests.store.clinic import FACE, NOW, a_clinic, a_patient, plan, planned, treat
from tests.support.facts import day


@contextmanager
def _counted(tx: Transaction) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(*arguments: object) -> None:
        seen.append(str(arguments[2]))

    event.listen(tx.connection.engine, "before_cursor_execute", note)
    yield seen
    event.remove(tx.connection.engine, "before_cursor_execute", note)


def test_facts_are_what_was_recorded(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        clinic = a_clinic(tx)
        known: dict[str, Any] = {"birth_date": day("1980-02-29"), "representative_email": "r@mail.test"}
        known |= {"address_key": "key", "status": "inactive", "consent": "existing_customer"}
        patient = a_patient(tx, clinic, "1001", **known)
        contacts.add_opt_out(tx, patient, "medical")
        contacts.suppress(tx, clinic.id, "key", "cosmetic", Reason.BOUNCED_ADDRESS)
        contacts.suppress(tx, clinic.id, "another key", "all", Reason.COMPLAINED)
        answers.add_answer(tx, patient, Said(AnswerKind.REPLIED))
        answers.add_answer(tx, patient, Said(AnswerKind.CONSULTATION_REQUESTED))
        answers.close_answers(tx, patient.id, AnswerKind.CONSULTATION_REQUESTED)
        contacts.set_own_interval(tx, patient, "", Interval.parse("14w"))
        ended, hold = (contacts.add_hold(tx, patient, line, day("2026-09-01"), "x") for line in ("face", None))
        contacts.end_hold(tx, ended)
        booked = appointments.add_appointment(tx, patient, None, day("2026-04-01"))
        kept = appointments.add_appointment(tx, patient, "face", day("2026-03-01"))
        appointments.set_outcome(tx, kept, Outcome.KEPT, day("2026-03-02"))
        episode = treat(tx, patient, "2026-03-01", ref="visit")
        wrong = treatments.add_treatment(tx, clinic.id, patient.id, episode, FACE, day("2026-03-02"), Kind.TREATMENT)
        treatments.withdraw(tx, wrong.id)
        touched = treatments.add_treatment(tx, clinic.id, patient.id, None, FACE, day("2026-02-14"), Kind.TOUCH_UP)
    expected = PatientFacts(
        id=patient.id,
        clinic_id=clinic.id,
        status=Status.INACTIVE,
        consent=Consent.EXISTING_CUSTOMER,
        birth_date=day("1980-02-29"),
        has_email=True,
        has_representative=True,
        opt_outs=frozenset({"medical"}),
        blocked=frozenset({("cosmetic", Reason.BOUNCED_ADDRESS)}),
        answers=(Answer(AnswerKind.REPLIED, NOW),),
        own_due={"": Interval.parse("14w")},
        treatments=(
            Treatment(touched.id, FACE, day("2026-02-14"), Kind.TOUCH_UP),
            Treatment(1, FACE, day("2026-03-01"), Kind.TREATMENT, episode, None, "visit"),
        ),
        episodes=(Episode(episode, "face", day("2026-03-01")),),
        appointments=(
            Appointment(kept, day("2026-03-01"), "face", Outcome.KEPT, day("2026-03-02")),
            Appointment(booked, day("2026-04-01")),
        ),
        holds=(Hold(hold, None, day("2026-09-01")),),
    )
    with database.read(NOW) as tx:
        assert facts(tx, [patient.id, 999]) == {patient.id: expected}


def test_facts_of_a_patient_with_nothing_recorded_are_plain(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        patient = a_patient(tx, a_clinic(tx), email=None)
        found = facts(tx, [patient.id])[patient.id]
        assert found == PatientFacts(patient.id, patient.clinic_id, has_email=False)
        patients.erase_patient(tx, patient.id)
        assert facts(tx, [patient.id])[patient.id].erased


def test_an_address_suppressed_in_one_clinic_is_not_suppressed_in_another(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        one, two = a_clinic(tx), a_clinic(tx, "ahorn")
        mine, theirs = a_patient(tx, one, address_key="key"), a_patient(tx, two, address_key="key")
        contacts.suppress(tx, one.id, "key", "all", Reason.OPTED_OUT)
        found = facts(tx, [mine.id, theirs.id])
    assert found[mine.id].blocked == {("all", Reason.OPTED_OUT)}
    assert found[theirs.id].blocked == frozenset()


def test_what_was_sent_in_the_episode_that_is_continued_counts_as_sent(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        clinic, patient, ids = planned(tx)
        first = treatments.episodes_of(tx, patient.id)[0].id
        _set_state(tx, ids[0], State.SENT)
        _set_state(tx, ids[1], State.CANCELLED)
        second = treatments.add_episode(tx, clinic.id, patient.id, "sweat", day("2026-03-01"), continues_id=first)
        third = treatments.add_episode(tx, clinic.id, patient.id, "face", day("2026-03-02"), continues_id=second)
        apart = treatments.add_episode(tx, clinic.id, patient.id, "face", day("2026-03-03"))
        found = {episode.id: episode.counts_as_sent for episode in facts(tx, [patient.id])[patient.id].episodes}
    sent = frozenset({"invitation"})
    assert found == {first: frozenset(), second: sent, third: sent, apart: frozenset()}


@pytest.mark.parametrize("state", list(State))
def test_only_what_the_patient_may_have_received_or_is_on_its_way_counts_as_sent(
    database: Database, state: State
) -> None:
    with database.write(NOW, "cli") as tx:
        clinic, patient, ids = planned(tx)
        _set_state(tx, ids[0], state)
        treatments.add_episode(tx, clinic.id, patient.id, "sweat", day("2026-03-01"), continues_id=1)
        found = facts(tx, [patient.id])[patient.id].episodes[1].counts_as_sent
    on_its_way = {State.SENT, State.BOUNCED, State.UNKNOWN, State.CLAIMED, State.HANDED_OVER}
    assert found == (frozenset({"invitation"}) if state in on_its_way else frozenset())


def test_the_number_of_queries_does_not_grow_with_the_patients(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        clinic = a_clinic(tx)
        many = [a_patient(tx, clinic, str(number)) for number in range(300)]
        for patient in many:
            treat(tx, patient)
        plan(tx, clinic, *many)
        with _counted(tx) as for_one:
            facts(tx, [many[0].id])
        with _counted(tx) as for_all:
            found = facts(tx, [patient.id for patient in many])
    assert len(found) == 300
    assert len(for_all) == len(for_one) <= 10


def test_a_treatment_is_found_by_its_number_and_keeps_it_when_withdrawn(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        clinic, patient, _ = planned(tx)
        entry = treatments.treatment_by_ref(tx, clinic.id, "visit-1001")
        assert entry is not None
        right = treatments.add_treatment(
            tx, clinic.id, patient.id, entry.episode_id, FACE, day("2026-02-28"), Kind.TREATMENT, None, "visit-2"
        )
        assert treatments.withdraw(tx, entry.id, right.id)
        assert not treatments.withdraw(tx, entry.id, None)
        assert treatments.treatments_of(tx, patient.id) == [right]
        both = treatments.treatments_of(tx, [patient.id], include_withdrawn=True)
        found = treatments.treatments_by_refs(tx, clinic.id, ["visit-1001", "visit-2", "visit-3"])
    assert both == [right, found["visit-1001"]]
    assert (both[1].withdrawn_at, both[1].replaced_by_id) == (NOW, right.id)
    assert set(found) == {"visit-1001", "visit-2"}


def test_a_line_begun_twice_on_a_day_gets_the_next_ordinal(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        patient = a_patient(tx, a_clinic(tx))
        for line in ("face", "face", "sweat"):
            treatments.add_episode(tx, patient.clinic_id, patient.id, line, day("2026-03-01"))
        assert [episode.ordinal for episode in treatments.episodes_of(tx, patient.id)] == [0, 1, 0]


def test_a_day_booked_twice_is_one_appointment(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        patient = a_patient(tx, a_clinic(tx))
        first = appointments.add_appointment(tx, patient, None, day("2026-04-01"))
        assert appointments.add_appointment(tx, patient, None, day("2026-04-01")) == first
        assert appointments.add_appointment(tx, patient, "face", day("2026-04-01")) != first
        assert appointments.set_outcome(tx, first, Outcome.MISSED, day("2026-04-02"))
        assert not appointments.set_outcome(tx, first, Outcome.MISSED, day("2026-04-09"))
        assert not appointments.set_outcome(tx, 99, Outcome.MISSED, day("2026-04-02"))
        found = appointments.appointment_by_id(tx, first)
        assert found is not None
        assert (found.line, found.outcome, found.noted_on) == (None, Outcome.MISSED, day("2026-04-02"))
        assert appointments.appointment_by_id(tx, 99) is None
        assert [one.line for one in appointments.appointments_of(tx, patient.id)] == [None, "face"]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_day_booked_again_is_open_again_under_its_own_id_and_on_the_trail(
    database: Database, outcome: Outcome
) -> None:
    with database.write(NOW, "cli") as tx:
        patient = a_patient(tx, a_clinic(tx))
        booked = appointments.add_appointment(tx, patient, "face", day("2026-04-01"))
        appointments.set_outcome(tx, booked, outcome, day("2026-04-02"))
        assert appointments.add_appointment(tx, patient, "face", day("2026-04-01")) == booked
        found = appointments.appointment_by_id(tx, booked)
        assert found is not None
        assert (found.outcome, found.noted_on) == (None, None)
        assert not appointments.reopen(tx, booked)
        trail = [one for one in audit_trail.entries(tx) if one.subject == "appointment"]
    assert [(one.action, one.subject_id) for one in trail] == [
        ("add", booked),
        ("outcome", booked),
        ("reopen", booked),
    ]


def _set_state(tx: Transaction, reminder_id: int, state: State) -> None:
    c = schema.reminders.c
    tx.connection.execute(update(schema.reminders).where(c.id == reminder_id).values(state=state))


def test_a_moment_of_the_facts_is_a_day_or_aware(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        _, patient, _ = planned(tx)
        entry = treatments.treatments_of(tx, patient.id)[0]
    assert type(entry.day) is dt.date
    assert entry.entered_at == NOW


def test_many_visits_are_entered_at_once_as_one_is(database: Database) -> None:
    with database.write(NOW, "import") as tx:
        clinic = a_clinic(tx)
        ids = [a_patient(tx, clinic, str(number)).id for number in range(3)]
        first = treatments.add_episode(tx, clinic.id, ids[0], "face", day("2026-03-01"))
        begun = [(key, "face", day("2026-03-01")) for key in (*ids, ids[2])]
        episodes = treatments.add_episodes(tx, clinic.id, begun)
        assert [(one.id, one.patient_id, one.ordinal) for one in treatments.episodes_of(tx, ids)] == [
            (first, ids[0], 0),
            (episodes[0], ids[0], 1),
            (episodes[1], ids[1], 0),
            (episodes[2], ids[2], 0),
            (episodes[3], ids[2], 1),
        ]
        pairs = zip(ids, episodes, strict=False)
        entered = [(key, run, FACE, day("2026-03-01"), Kind.TREATMENT, None, f"v{key}") for key, run in pairs]
        keys = treatments.add_treatments(tx, clinic.id, entered)
        assert treatments.add_treatments(tx, clinic.id, []) == treatments.add_episodes(tx, clinic.id, []) == []
        found = treatments.treatments_of(tx, ids)
        assert [(row.id, row.patient_id, row.ref) for row in found] == [
            (key, patient, f"v{patient}") for key, patient in zip(keys, ids, strict=True)
        ]
        assert {(row.kind, row.entered_at, row.withdrawn_at) for row in found} == {(Kind.TREATMENT, NOW, None)}
        assert audit_trail.verify(tx) is None
