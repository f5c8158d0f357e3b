"""Rows of facts that are changed past the product, most of them before everybody is planned anew from what was changed.

Invariant: the plan agrees with the changed row afterwards, so that the trail alone can tell.
"""

import datetime as dt
import random
from dataclasses import replace

from tests.support.tamper import GONE, Row, Tampered, Tampering, changing, reminder_named, reminders_in


def booked_elsewhen(tampered: Tampered, chance: random.Random) -> Tampering:
    row = chance.choice(tampered.rows("appointments"))
    values = chance.choice([{"day": row["day"] - dt.timedelta(days=chance.randint(8, 90))}, {"line": "sweat"}])
    made = changing("booked elsewhen", "appointments", row, 4, f"appointment {row['id']}", tampered, **values)
    return replace(made, planned=True)


def treated_elsewhen(tampered: Tampered, chance: random.Random) -> Tampering:
    row = chance.choice(tampered.rows("treatments"))
    day = row["day"] + dt.timedelta(days=chance.choice([-40, -1, 1, 40]))
    values = chance.choice([{"day": day}, {"protocol": "hyperhidrosis"}, {"kind": "review"}])
    made = changing("treated elsewhen", "treatments", row, 3, f"treatment {row['id']} has another", tampered, **values)
    return replace(made, planned=True)


def of_another_line(tampered: Tampered, chance: random.Random) -> Tampering:
    row = chance.choice([one for one in tampered.rows("treatments") if one["episode_id"]])
    episode = next(one for one in tampered.rows("episodes") if one["id"] == row["episode_id"])
    names = f"treatment {row['id']} is of another line"
    return replace(changing("another line", "episodes", episode, 4, names, tampered, line="sweat"), planned=True)


def exchanged(tampered: Tampered, chance: random.Random) -> Tampering:
    runs = [one for one in tampered.rows("treatments") if one["episode_id"]]
    pairs = [(a, b) for a in runs for b in runs if a["patient_id"] == b["patient_id"] and a["id"] != b["id"]]
    row, other = chance.choice([(a, b) for a, b in pairs if a["episode_id"] != b["episode_id"]])

    def do() -> None:
        tampered.change("treatments", row["id"], episode_id=other["episode_id"])
        tampered.change("treatments", other["id"], episode_id=row["episode_id"])

    words = f"treatments {row['id']} and {other['id']} exchange their episodes"
    return Tampering(words, do, 4, f"treatment {row['id']} is of another line or episode", planned=True)


def another_step(tampered: Tampered, chance: random.Random) -> Tampering:
    row = chance.choice(reminders_in(tampered, *GONE))
    values: dict[str, object] = chance.choice([{"copy": chance.randint(1, 9)}, {"step": "extra"}])
    made = changing("another step", "reminders", row, 1, reminder_named(row["id"]), tampered, **values)
    return replace(made, planned=True)


def held_by_nobody(tampered: Tampered, chance: random.Random) -> Tampering:
    row = chance.choice([one for one in reminders_in(tampered, "cancelled") if not one["held_reason"]])
    reason = chance.choice(["held_for_review", "backlog_hold"])
    made = changing("held by nobody", "reminders", row, 2, reminder_named(row["id"]), tampered, held_reason=reason)
    return replace(made, planned=True)


def closed_unseen(tampered: Tampered, chance: random.Random) -> Tampering:
    row = chance.choice([one for one in tampered.rows("answers") if one["closed_at"] is None])
    made = changing("closed", "answers", row, 4, f"answer {row['id']}: close", tampered, closed_at=row["at"])
    return replace(made, planned=True)


def suppressed_otherwise(tampered: Tampered, chance: random.Random) -> Tampering:
    row = chance.choice(tampered.rows("suppressions"))
    values = chance.choice([{"address_key": "a" * 64}, {"at": row["at"] + 400 * dt.timedelta(days=1)}])
    names = "suppressed addresses ({reason}, {scope}) are not those".format(**row)
    return replace(changing("suppressed", "suppressions", row, 4, names, tampered, **values), planned=True)


def starved(tampered: Tampered, chance: random.Random) -> Tampering:
    row = chance.choice(reminders_in(tampered, "planned"))
    names = chance.choice([("wake_at",), ("wake_at", "next_attempt_at"), ("next_attempt_at",)])
    later = row["wake_at"] + dt.timedelta(days=chance.choice([1, 30, 400]), minutes=chance.randint(1, 300))
    values = dict.fromkeys(names, later)
    return changing("starved", "reminders", row, 2, reminder_named(row["id"]), tampered, **values)


def kept_back(tampered: Tampered, chance: random.Random) -> Tampering:
    row = chance.choice([one for one in tampered.rows("clinics") if one["paused_at"] is None])
    values: Row = chance.choice([{"paused_at": row["created_at"]}, {"daily_limit": 0}])
    names = "paused in its row itself" if "paused_at" in values else "its daily limit"
    return changing("kept back", "clinics", row, 2, names, tampered, **values)


# never without a consultation
