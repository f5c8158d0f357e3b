"""The starter catalogue is installed once, and a changed protocol plans everyone treated under it anew."""

from collections import Counter
from dataclasses import replace

import pytest

from reminders.domain.interval import Interval
from reminders.domain.planner import Action
from reminders.domain.protocol import TreatmentClass
from reminders.services.catalogue import ProtocolInUse, import_catalogue, install_starter
from reminders.services.catalogue_file import BadCatalogue, starter_catalogue
from reminders.store import protocols, reminders
from reminders.store.database import Database
from tests.services.delivered import START, House
from tests.support.facts import CATALOGUE, COURSE, FACE, LIPS, MIGRAINE, NEEDLING, protocol


def test_the_starter_catalogue_is_installed_once(database: Database) -> None:
    for added in (len(starter_catalogue()), 0):
        with database.write(START, "init") as tx:
            assert install_starter(tx) == added
    with database.read(START) as tx:
        assert {one.version for one in protocols.current(tx).values()} == {1}


def test_an_upgrade_adds_what_is_missing_and_leaves_what_was_edited(database: Database) -> None:
    edited = protocol("botulinum-cosmetic", "3m 5m 6m 7m", line="face", min_days=90)
    with database.write(START, "cli") as tx:
        protocols.save_protocol(tx, edited)
    with database.write(START, "init") as tx:
        assert install_starter(tx) == len(starter_catalogue()) - 1
        assert str(protocols.current(tx)["botulinum-cosmetic"].due) == "5m"


def test_a_starter_course_that_no_longer_fits_what_was_edited_is_left_out(database: Database) -> None:
    with database.write(START, "cli") as tx:
        protocols.save_protocol(tx, replace(NEEDLING, line="skin-of-my-own"))
    with database.write(START, "init") as tx:
        install_starter(tx)
        assert "microneedling-course" not in protocols.current(tx)
        assert "laser-hair-course" in protocols.current(tx)


def test_an_import_says_what_it_added_changed_and_left(new_house: House) -> None:
    added, changed = protocol("new-one"), replace(LIPS, name="Filler of the lips")
    with new_house.database.write(START, "cli") as tx:
        outcome = import_catalogue(tx, [added, changed, replace(FACE, version=7)])
        assert (outcome.added, outcome.changed, outcome.unchanged) == (("new-one",), ("filler-lips",), (FACE.code,))
        assert protocols.current(tx)["filler-lips"].version == 2
        assert protocols.current(tx)[FACE.code].version == 1
    with new_house.database.write(START, "cli") as tx:
        again = import_catalogue(tx, [added, changed, FACE])
        assert (again.added, again.changed) == ((), ())


def test_a_changed_protocol_plans_those_treated_under_it_and_nobody_else(new_house: House) -> None:
    new_house.treat("1", protocol=FACE.code)
    new_house.treat("2", protocol=FACE.code)
    new_house.treat("3", protocol=LIPS.code)
    with new_house.database.write(START, "cli") as tx:
        outcome = import_catalogue(tx, [replace(FACE, due=Interval.parse("18w"))])
        assert outcome.plan.patients == 2
        assert outcome.plan.changes == Counter({Action.MOVE: 6})
        assert {str(row.window.due) for row in reminders.listing(tx) if row.protocol == FACE.code} == {"2026-07-06"}


def test_a_protocol_that_was_switched_off_withdraws_its_reminders(new_house: House) -> None:
    new_house.treat("1")
    with new_house.database.write(START, "cli") as tx:
        outcome = import_catalogue(tx, [replace(FACE, active=False)])
        assert outcome.plan.changes == Counter({Action.WITHDRAW: 3})
        assert {row.reason for row in reminders.listing(tx)} == {"protocol_changed"}


def test_a_finished_course_follows_a_change_of_what_comes_after_it(new_house: House) -> None:
    for on in ("2025-12-08", "2026-01-19", "2026-03-02"):
        new_house.treat("1", on=on, protocol=COURSE.code)
    with new_house.database.write(START, "cli") as tx:
        outcome = import_catalogue(tx, [replace(NEEDLING, due=Interval.parse("22w"))])
        assert outcome.plan.patients == 1
        assert {str(row.window.due) for row in reminders.listing(tx) if row.state == "planned"} == {"2026-08-03"}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"line": "forehead"}, "line from toxin/face to toxin/forehead"),
        ({"class_name": TreatmentClass.MEDICAL}, "class from cosmetic"),
    ],
)
def test_a_protocol_in_use_keeps_its_line_and_class(new_house: House, change: dict[str, str], what: str) -> None:
    two_steps = replace(FACE, steps=FACE.steps[:2])
    with new_house.database.write(START, "cli") as tx:
        import_catalogue(tx, [replace(two_steps, **change)])  # type: ignore[arg-type]  # nobody was treated yet
        import_catalogue(tx, [two_steps])
    new_house.treat("1")
    with pytest.raises(ProtocolInUse, match=what), new_house.database.write(START, "cli") as tx:
        import_catalogue(tx, [replace(LIPS, name="Lips"), replace(two_steps, **change)])  # type: ignore[arg-type]
    with new_house.database.read(START) as tx:
        assert protocols.current(tx)["filler-lips"].name == LIPS.name


def test_a_protocol_in_use_keeps_its_group_since_its_line_belongs_to_it(new_house: House) -> None:
    new_house.treat("1", on="2026-03-02", protocol=MIGRAINE.code)
    with (
        pytest.raises(ProtocolInUse, match="line from toxin/migraine to headache/migraine"),
        new_house.database.write(START, "cli") as tx,
    ):
        import_catalogue(tx, [replace(MIGRAINE, group="headache")])


def test_what_is_imported_must_fit_what_is_stored(new_house: House) -> None:
    alone = replace(COURSE, code="other-course", then="peel-deep")
    with pytest.raises(BadCatalogue, match="protocol other-course: then"), new_house.database.write(START, "cli") as tx:
        import_catalogue(tx, [alone])
    moved = replace(NEEDLING, line="skin")
    with pytest.raises(BadCatalogue, match="needling-course: then"), new_house.database.write(START, "cli") as tx:
        import_catalogue(tx, [moved])
    with new_house.database.read(START) as tx:
        assert protocols.current(tx).keys() == CATALOGUE.keys()
