"""Faults: rows that hold what this program never wrote, of one patient or of one clinic; everybody else goes on."""

# ruff: noqa: S608 - the statements are these tests' own

from collections.abc import Iterator

import pytest

from reminders.domain.lifecycle import State
from reminders.services.audit import audit
from reminders.services.plan import plan_due_changes
from reminders.store.soundness import damaged_rows
from tests.acceptance.grounds import ALWAYS_OPEN, Ground
from tests.mail import letters
from tests.support.clinic import INVITED_AT, FakeClock, Office
from tests.support.post import Post
from tests.support.tampering import on_postgresql, past_the_rules

NO_MOMENT = {"sqlite": "''", "postgresql": "'-infinity'"}
NO_DAY = {"sqlite": "'2026-02-31'", "postgresql": "'infinity'"}
NOT_UTF_8 = "CAST(x'c3' AS TEXT)"
OF_PATIENTS = [
    ("UPDATE patients SET consent = 'perhaps' WHERE id = {one}", "patients (1 with an unknown consent)"),
    ("UPDATE treatments SET day = {no_day} WHERE patient_id = {one}", "treatments (1 with an unreadable day)"),
    (
        "UPDATE reminders SET closes = {no_day} WHERE patient_id = {one} AND step = 'invitation'",
        "reminders (1 with an unreadable closes)",
    ),
    (
        "UPDATE reminders SET not_after = {no_day} WHERE patient_id = {one} AND step = 'follow_up'",
        "reminders (1 with an unreadable not_after)",
    ),
    (
        "UPDATE reminders SET wake_at = {no_moment} WHERE patient_id = {one} AND step = 'last_call'",
        "reminders (1 with an unreadable wake_at)",
    ),
    (
        "INSERT INTO own_intervals (clinic_id, patient_id, line, due) VALUES (1, {one}, '', 'soon')",
        "own_intervals (1 with an unknown due)",
    ),
    (
        f"UPDATE treatments SET protocol = {NOT_UTF_8} WHERE patient_id = {{one}}",
        "treatments (1 with an unreadable protocol)",
    ),
]
OF_CLINICS = [
    ("UPDATE clinics SET sending_days = 'mon' WHERE id = {one}", "clinics (1 that cannot be read)"),
    ("UPDATE clinics SET created_at = {no_day} WHERE id = {one}", "clinics (1 with an unreadable created_at)"),
    ("INSERT INTO closed_days (clinic_id, day) VALUES ({one}, {no_day})", "closed_days (1 with an unreadable day)"),
    ("UPDATE clinics SET timezone = 'Nowhere/Land' WHERE id = {one}", ""),
    (f"UPDATE clinics SET name = {NOT_UTF_8} WHERE id = {{one}}", "clinics (1 with an unreadable name)"),
]
SOUND = 2


@pytest.fixture
def office(ground: Ground) -> Iterator[Office]:
    made = Office(ground.fresh(), FakeClock())
    yield made
    made.close()


def spoil(office: Office, damage: list[tuple[str, str]]) -> list[str]:
    """Damage the rows of the first patient or clinic in the first way, of the second in the second; return the ways."""
    backend = "postgresql" if on_postgresql(office.database) else "sqlite"
    possible = [(way, said) for way, said in damage if backend == "sqlite" or NOT_UTF_8 not in way]
    ways = [
        way.format(one=one, no_day=NO_DAY[backend], no_moment=NO_MOMENT[backend])
        for one, (way, _) in enumerate(possible, 1)
    ]
    past_the_rules(office.database, ways)
    return [said for _, said in possible]


def found(office: Office) -> set[str]:
    with office.read() as tx:
        return set(damaged_rows(tx))


def sent(office: Office) -> dict[str, int]:
    with office.read() as tx:
        query = (
            "SELECT clinics.slug, count(*) FROM reminders JOIN clinics ON clinics.id = clinic_id"
            f" WHERE state = '{State.SENT}' GROUP BY clinics.slug"
        )
        return {row[0]: row[1] for row in tx.connection.exec_driver_sql(query)}


def test_f08_patients_with_odd_rows_cost_nobody_else_their_plan_or_their_mail(office: Office) -> None:
    office.add_clinic(**ALWAYS_OPEN)
    office.add_due(len(OF_PATIENTS) + SOUND)
    office.clock.set(INVITED_AT)
    assert found(office) == set()
    said = spoil(office, OF_PATIENTS)
    odd, sound = len(said), len(OF_PATIENTS) + SOUND - len(said)
    outcome = office.plan()
    assert (outcome.skipped, outcome.patients) == (odd, sound)
    with office.write() as tx:
        tx.connection.exec_driver_sql("UPDATE patients SET replan_at = created_at")
    assert plan_due_changes(office.database, office.clock).skipped == odd
    delivered = office.deliver(Post(office.clock.now), 4, renderer=letters.RENDERER)
    assert (delivered.sent, delivered.skipped) == (sound, odd)
    assert found(office) == set(said)
    problems = [one.problem for one in audit(office.database, office.clock, office.keys).findings]
    assert sum(problem.startswith("what is stored of the patient with the id") for problem in problems) == odd


def test_f08_clinics_with_odd_rows_cost_no_other_clinic_its_plan_or_its_mail(office: Office) -> None:
    slugs = [f"number-{one}" for one in range(1, len(OF_CLINICS) + 1)]
    for slug in (*slugs, "sound"):
        office.add_clinic(slug, **ALWAYS_OPEN)
        office.add_due(SOUND, slug)
    office.clock.set(INVITED_AT)
    said = spoil(office, OF_CLINICS)
    others = {"sound": SOUND} | dict.fromkeys(slugs[len(said) :], SOUND)
    outcome = office.plan()
    assert (outcome.skipped, outcome.patients) == (SOUND * len(said), sum(others.values()))
    delivered = office.deliver(Post(office.clock.now), 4, renderer=letters.RENDERER)
    assert sent(office) == others
    assert delivered.skipped == SOUND * len(said)
    assert found(office) >= set(said) - {"", "clinics (1 that cannot be read)"}
    problems = [one.problem for one in audit(office.database, office.clock, office.keys).findings]
    assert sum("of the clinic itself cannot be read" in problem for problem in problems) == len(said)
