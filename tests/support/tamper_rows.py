"""What somebody with the database's password may do to the rows that the promises are about, drawn from a seed.

Invariant: every tampering breaks one promise, or hides that it was broken, and tells which row an audit must name.
"""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from reminders.store.columns import metadata
from reminders.store.packing import unpack
from tests.support.tamper import GONE, Family, Row, Tampered, Tampering, changing, each, reminder_named, reminders_in
from tests.support.tamper_facts import (
    another_step,
    booked_elsewhen,
    closed_unseen,
    exchanged,
    held_by_nobody,
    kept_back,
    of_another_line,
    starved,
    suppressed_otherwise,
    treated_elsewhen,
)

MINUTE = dt.timedelta(minutes=1)
SERVER_ONLY = frozenset({"postgresql"})
_CONSULTATION = {"text": b"Your consultation\r\n", "HTML": b'class=3D"consultation"'}


def _unsent(tampered: Tampered, chance: random.Random) -> Tampering:
    row = chance.choice(reminders_in(tampered, *GONE))
    return changing("sent again", "reminders", row, 1, reminder_named(row["id"]), tampered, state="planned")


def _other_message(tampered: Tampered, chance: random.Random) -> Tampering:
    row = chance.choice(reminders_in(tampered, *GONE))
    other = chance.choice([m for m in tampered.rows("messages") if m["id"] != row["message_pk"]])
    names = reminder_named(row["id"])
    return changing("another message", "reminders", row, 1, names, tampered, message_pk=other["id"])


def _other_message_id(tampered: Tampered, chance: random.Random) -> Tampering:
    kept = chance.choice([m for m in tampered.rows("messages") if m["content"] is not None])
    carried = next(r for r in reminders_in(tampered, *GONE) if r["message_pk"] == kept["id"])
    names = reminder_named(carried["id"])
    return changing("another Message-ID", "messages", kept, 1, names, tampered, message_id="<second@elm.example>")


def _went_twice(tampered: Tampered, chance: random.Random) -> Tampering:
    gone = [r for r in reminders_in(tampered, "sent") if r["message_pk"]]
    known = {r["patient_id"] for r in gone}
    row = chance.choice([r for r in reminders_in(tampered, "planned", "cancelled") if r["patient_id"] in known])
    first = next(g for g in gone if g["patient_id"] == row["patient_id"])
    at = first["handed_over_at"] + dt.timedelta(days=1)
    values = {"state": "sent", "reason": None, "message_pk": first["message_pk"], "handed_over_at": at, "sent_at": at}
    return Tampering(
        f"reminder {row['id']} went out with the message of {first['id']}",
        lambda: tampered.change("reminders", row["id"], **values),
        1,
        reminder_named(row["id"]),
    )


# never lost


def _sent_by_hand(tampered: Tampered, chance: random.Random) -> Tampering:
    row = chance.choice(reminders_in(tampered, "sent"))
    key = max(r["id"] for r in tampered.rows("reminders")) + 1
    new = row | {"id": key, "copy": chance.randint(1, 4)}
    return Tampering(f"a sent copy of {row['id']}", lambda: tampered.add("reminders", **new), 2, reminder_named(key))


def _row_gone(tampered: Tampered, chance: random.Random) -> Tampering:
    row = chance.choice(tampered.rows("reminders"))
    words = f"reminder {row['id']} ({row['state']}) deleted"
    return Tampering(words, lambda: tampered.remove("reminders", row["id"]), 2, reminder_named(row["id"]))


def _said_to_be_sent(tampered: Tampered, chance: random.Random) -> Tampering:
    row = chance.choice(reminders_in(tampered, "planned", "failed", "unknown", "cancelled"))
    state = chance.choice(["sent", "expired", "lost", "bounced"])
    return changing("a state", "reminders", row, 2, reminder_named(row["id"]), tampered, state=state)


def _somebody_gone(tampered: Tampered, chance: random.Random) -> Tampering:
    key = chance.choice(tampered.rows("patients"))["id"]

    def do() -> None:
        tables = [t.name for t in metadata.sorted_tables if "patient_id" in t.c and t.name not in ("audit", "patients")]
        for table in tables:
            tampered.put(table, [row for row in tampered.rows(table) if row["patient_id"] != key])
        tampered.remove("patients", key)

    return Tampering(f"patient {key} and all their rows deleted", do, 2, f"the patient with the id {key}")


# never outside


def _moved(tampered: Tampered, chance: random.Random) -> Tampering:
    row = chance.choice([r for r in reminders_in(tampered, "sent") if r["sent_at"]])
    names = chance.choice([("handed_over_at",), ("sent_at",), ("handed_over_at", "sent_at")])
    by = chance.choice([1, -1]) * dt.timedelta(days=chance.choice([0, 0, 1, 3, 40]), minutes=chance.randint(1, 300))
    values = {name: row[name] + by for name in names}
    return Tampering(
        f"reminder {row['id']} sent {by} away ({names})",
        lambda: tampered.change("reminders", row["id"], **values),
        3,
        reminder_named(row["id"]),
    )


def _planned_elsewhen(tampered: Tampered, chance: random.Random) -> Tampering:
    row = chance.choice([r for r in reminders_in(tampered, "planned", "held") if r["copy"] == 0])
    name = chance.choice(["due_at", "not_after", "opens", "due", "overdue", "closes"])
    value = row[name] + dt.timedelta(days=chance.choice([-20, -3, 3, 20]))
    return changing("other days", "reminders", row, 3, reminder_named(row["id"]), tampered, **{name: value})


# never to whoever must not be written to


def _restriction_gone(tampered: Tampered, chance: random.Random) -> Tampering:
    table, names = chance.choice(
        [
            ("holds", "hold {id}"),
            ("answers", "answer {id}"),
            ("appointments", "appointment {id}"),
            ("opt_outs", "the patient opted out ({scope})"),
            ("suppressions", "suppressed addresses ({reason}, {scope})"),
        ]
    )
    row = chance.choice(tampered.rows(table))
    return Tampering(
        f"row {row['id']} of {table} deleted", lambda: tampered.remove(table, row["id"]), 4, names.format(**row)
    )


def _restriction_ended(tampered: Tampered, chance: random.Random) -> Tampering:
    table, name, value = chance.choice(
        [
            ("holds", "ended_at", "at"),
            ("answers", "withdrawn_at", "at"),
            ("appointments", "outcome", "missed"),
        ]
    )
    row = chance.choice([one for one in tampered.rows(table) if one[name] is None])
    new = row[value] + MINUTE if value in row else value
    return changing("ended", table, row, 4, f"{table[:-1]} {row['id']}", tampered, **{name: new})


def _withheld_freed(tampered: Tampered, chance: random.Random) -> Tampering:
    row = chance.choice(reminders_in(tampered, "cancelled"))
    return changing("freed", "reminders", row, 4, reminder_named(row["id"]), tampered, state="planned", reason=None)


def _revived(tampered: Tampered, chance: random.Random) -> Tampering:  # noqa: ARG001 - there is one of each
    row = next(one for one in tampered.rows("patients") if one["status"] == "deceased")
    withheld = [r for r in reminders_in(tampered, "cancelled") if r["patient_id"] == row["id"]][-1]
    return changing("revived", "patients", row, 4, reminder_named(withheld["id"]), tampered, status="active")


def _loosened(tampered: Tampered, chance: random.Random) -> Tampering:
    table, name, value, names = chance.choice(
        [
            ("patients", "status", "inactive", "the patient's status"),
            ("patients", "consent", "existing_customer", "the patient's consent"),
            ("holds", "until", dt.date(2027, 1, 1), "hold {id}"),
            ("holds", "line", "sweat", "hold {id}"),
            ("clinics", "unknown_consent", "existing_customer", "rule for patients of unknown consent"),
            ("clinics", "paused_at", None, "resumed in the row itself"),
        ]
    )
    row = chance.choice([one for one in tampered.rows(table) if one[name] != value])
    return changing("loosened", table, row, 4, names.format(**row), tampered, **{name: value})


def _unvoided(tampered: Tampered, chance: random.Random) -> Tampering:
    row = chance.choice([one for one in tampered.rows("treatments") if one["withdrawn_at"]])
    return changing("unvoided", "treatments", row, 4, f"treatment {row['id']}", tampered, withdrawn_at=None)


def _unerased(tampered: Tampered, chance: random.Random) -> Tampering:
    row = chance.choice([one for one in tampered.rows("patients") if one["erased_at"]])
    return changing("unerased", "patients", row, 4, f"patient {row['id']}", tampered, erased_at=None)


def _redirected(tampered: Tampered, chance: random.Random) -> Tampering:
    row = chance.choice([one for one in tampered.rows("patients") if one["email"]])
    name = chance.choice(["email", "representative_email"])
    return changing("redirected", "patients", row, 4, "the patient's address", tampered, **{name: "thief@elm.example"})


def _borrowed(tampered: Tampered, chance: random.Random) -> Tampering:
    row, other = chance.sample([one for one in tampered.rows("patients") if one["email"]], 2)
    values = {"email": other["email"], "address_key": other["address_key"]}
    if chance.random() < 1 / 3:
        values = dict.fromkeys(values)
    made = changing("borrowed", "patients", row, 4, "the patient's address", tampered, **values)
    return replace(made, planned=chance.random() < 1 / 2)


# never across clinics


def _crossed(tampered: Tampered, chance: random.Random) -> Tampering:
    table = chance.choice(
        ["reminders", "messages", "treatments", "patients", "episodes", "opt_outs", "holds", "answers"]
    )
    row = chance.choice(tampered.rows(table))
    clinic = 3 - int(row["clinic_id"])
    if table == "patients":
        return changing("crossed", table, row, 5, "of another clinic", tampered, clinic_id=clinic)
    return changing("crossed", table, row, 5, f"row {row['id']} of {table}", tampered, clinic_id=clinic)


def _somebody_elses(tampered: Tampered, chance: random.Random) -> Tampering:
    table, column, target = chance.choice(
        [
            ("reminders", "message_pk", "messages"),
            ("reminders", "episode_id", "episodes"),
            ("reminders", "treatment_id", "treatments"),
            ("treatments", "episode_id", "episodes"),
        ]
    )
    row = chance.choice([one for one in tampered.rows(table) if one[column] is not None])
    others = [one for one in tampered.rows(target) if one["patient_id"] != row["patient_id"]]
    other = chance.choice(others)["id"]
    return changing("somebody else's", table, row, 5, f"row {row['id']} of {table}", tampered, **{column: other})


# never without


def _without_consultation(tampered: Tampered, chance: random.Random) -> Tampering:
    kept = chance.choice([m for m in tampered.rows("messages") if m["content"] is not None])
    part = chance.choice(sorted(_CONSULTATION))
    mark = _CONSULTATION[part]
    whole = _unpacked(tampered, kept)
    assert mark in whole
    content = whole.replace(mark, mark.replace(b"consultation", b"conversation"))
    carried = next(r for r in reminders_in(tampered, *GONE) if r["message_pk"] == kept["id"])
    words = f"message {kept['id']} without its {part} consultation"
    do = lambda: tampered.change(  # noqa: E731 - it is done later
        "messages", kept["id"], content=content, packed=False, pattern_id=None
    )
    return Tampering(words, do, 6, reminder_named(carried["id"]))


def _unpacked(tampered: Tampered, kept: Row) -> bytes:
    against = [unpack(row["content"], None) for row in tampered.rows("patterns", id=kept["pattern_id"])]
    return unpack(kept["content"], against[0] if against else None)


# never a surprise


def _released(tampered: Tampered, chance: random.Random) -> Tampering:
    row = chance.choice(reminders_in(tampered, "planned", "held", "cancelled", "sent"))
    at = row["created_at"] + MINUTE
    return changing("released", "reminders", row, 7, reminder_named(row["id"]), tampered, released_at=at)


def _let_out(tampered: Tampered, chance: random.Random) -> Tampering:
    row = chance.choice([r for r in reminders_in(tampered, "held") if r["reason"] == "backlog_hold"])
    values = {"state": "planned", "reason": None, "released_at": chance.choice([None, row["updated_at"]])}
    return Tampering(
        f"reminder {row['id']} let out of the backlog",
        lambda: tampered.change("reminders", row["id"], **values),
        7,
        reminder_named(row["id"]),
    )


# personal data in two tables, and nothing of whoever was erased


def _planted(tampered: Tampered, chance: random.Random) -> Tampering:
    table, column = chance.choice(
        [
            ("treatments", "ref"),
            ("reminders", "last_fault"),
            ("holds", "code"),
            ("practitioners", "name"),
            ("answers", "lines"),
            ("episodes", "line"),
            ("transports", "fault"),
            ("installation", "home"),
        ]
    )
    person = chance.choice([one for one in tampered.rows("patients") if one["email"]])
    address = f"to {person['email'].upper()}"
    found = metadata.tables[table]
    key = next(iter(found.primary_key)).name
    row = chance.choice(tampered.rows(table))

    def do() -> None:
        with tampered.writing(table) as connection:
            connection.execute(found.update().where(found.c[key] == row[key]).values(**{column: address[:60]}))

    return Tampering(f"an address in {table}.{column}", do, 10, f"stand in {table}.{column}")


def _left_behind(tampered: Tampered, chance: random.Random) -> Tampering:
    row = chance.choice([one for one in tampered.rows("patients") if one["erased_at"]])
    name = chance.choice(["given_name", "family_name", "phone", "language", "postal_address", "ref"])
    names = "the ref is left" if name == "ref" else f"the column {name} is left"
    return changing("left behind", "patients", row, 10, names, tampered, **{name: "Ada"})


def _entered_by_nobody(tampered: Tampered, chance: random.Random) -> Tampering:
    table = chance.choice(["treatments", "appointments", "holds", "answers"])
    row = chance.choice(tampered.rows(table))
    key = max(one["id"] for one in tampered.rows(table)) + chance.randint(1, 50)
    new = row | {"id": key} | ({"ref": None} if table == "treatments" else {})
    if table == "appointments":
        new["day"] = row["day"] + dt.timedelta(days=3)
    names = f"{table[:-1]} {key} stands in its table"
    return Tampering(f"row {key} of {table} made up", lambda: tampered.add(table, **new), 10, names)


ROWS: dict[str, tuple[Family, int]] = {
    "never twice": (each(_unsent, _other_message, _other_message_id, _went_twice), 12),
    "never lost": (each(_row_gone, _said_to_be_sent, _sent_by_hand, _somebody_gone), 14),
    "never outside": (each(_moved, _planned_elsewhen), 16),
    "never to": (
        each(
            *(_restriction_gone, _restriction_ended, _withheld_freed, _redirected, _borrowed),
            *(_revived, _unvoided, _unerased, _loosened),
        ),
        24,
    ),
    "planned anew": (
        each(
            *(booked_elsewhen, treated_elsewhen, of_another_line, exchanged),
            *(closed_unseen, suppressed_otherwise),
        ),
        20,
    ),
    "another step": (each(another_step, held_by_nobody), 8),
    "starved": (each(starved, kept_back), 10),
    "never across": (each(_crossed, _somebody_elses), 12),
    "never without": (each(_without_consultation), 4),
    "never a surprise": (each(_released), 4),
    "the trail and the two tables": (each(_planted, _left_behind, _entered_by_nobody), 12),
}
"""Each promise's family, and how many of it are tried on each database."""

CROWD: dict[str, tuple[Family, int]] = {"let out": (each(_let_out), 5)}


def twice(tampered: Tampered, chance: random.Random) -> Iterator[Tampering]:
    """Add a second row of one identity, or a second message of one Message-ID, the rule against it being gone."""
    while True:
        table = chance.choice(["reminders", "messages"])
        row = chance.choice(tampered.rows(table))
        key = max(one["id"] for one in tampered.rows(table)) + 1
        names = reminder_named(key) if table == "reminders" else "Message-IDs stand on more than one message"
        yield Tampering(
            f"row {row['id']} of {table} twice",
            partial(tampered.add, table, **(row | {"id": key})),
            1,
            names,
        )
