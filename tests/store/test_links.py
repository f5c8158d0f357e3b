"""What a link's token stands for: found by one question that is the same for every token."""

import datetime as dt

from reminders.store import patients
from reminders.store.database import Database
from reminders.store.links import REQUEST, STOP, Link, find_link, lines_of
from reminders.store.schema import reminders
from tests.store.clinic import NOW, a_link, a_message, keep, planned
from tests.support.facts import COSMETIC

LONG_AGO = NOW - dt.timedelta(days=60)


def test_a_link_is_found_by_its_hash_and_purpose_while_it_is_young_enough(database: Database) -> None:
    with database.write(NOW, "deliver") as tx:
        clinic, patient, _ = planned(tx)
        owner = (clinic.id, patient.id)
        message = a_message(tx, owner)
        keep(tx, message.id)
        for name, purpose in (("r", REQUEST), ("s", STOP)):
            a_link(tx, owner, message.id, name, purpose)
        found = Link(clinic.id, patient.id, message.id, COSMETIC, "key")
        assert find_link(tx, "r", REQUEST, LONG_AGO) == found == find_link(tx, "s", STOP, NOW)
        assert find_link(tx, "r", STOP, LONG_AGO) is None
        assert find_link(tx, "x", REQUEST, LONG_AGO) is None
        assert find_link(tx, "r", REQUEST, NOW + dt.timedelta(seconds=1)) is None
        patients.erase_patient(tx, patient.id)
        assert find_link(tx, "r", REQUEST, LONG_AGO) is None


def test_a_message_is_about_the_lines_of_its_reminders(database: Database) -> None:
    with database.write(NOW, "deliver") as tx:
        clinic, patient, _ = planned(tx)
        message = a_message(tx, (clinic.id, patient.id))
        assert lines_of(tx, message.id) == {}
        tx.connection.execute(reminders.update().values(message_pk=message.id))
        assert lines_of(tx, message.id) == {1: "face"}
