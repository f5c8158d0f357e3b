"""What somebody with the database's password may do to the audit trail, drawn from a seed.

Invariant: every tampering changes what the trail says, and tells which entry an audit must name.
"""

import datetime as dt
import random
from collections.abc import Iterator
from functools import partial
from typing import Any

from reminders.store import audit_trail
from tests.support.tamper import Family, Row, Tampered, Tampering

STRANGER = b"a key that somebody else has made up"
_TEXTS = ("actor", "action", "subject")
_NUMBERS = ("clinic_id", "patient_id", "subject_id")
_WORDS = ("cli", "rescue", "sent", "planned", "plan", "reminder", "patient", "opt in", "nobody", "é")


def _entry(number: int) -> str:
    return f"entry {number} of the audit trail"


def _trail(tampered: Tampered) -> list[Row]:
    return sorted(tampered.rows("audit"), key=lambda row: int(row["id"]))


def _another(chance: random.Random, name: str, old: Any) -> object:  # noqa: ANN401 - any column
    if name == "at":
        return old + dt.timedelta(seconds=chance.choice([-86_400, -1, 1, 3_600]))
    if name == "mac":
        return chance.choice(["", "0" * 64, old[::-1], "é" * 8])
    if name == "details":
        return chance.choice([one for one in ({}, None, {"reason": "too_late"}, [1]) if one != old])
    if name in _NUMBERS:
        return chance.choice([one for one in (None, 1, 2, 3, 999) if one != old])
    return chance.choice([word for word in _WORDS if word != old])


def edited(tampered: Tampered, chance: random.Random) -> Iterator[Tampering]:
    """Change one column of one entry."""
    while True:
        row = chance.choice(_trail(tampered))
        name = chance.choice([*_TEXTS, *_NUMBERS, "at", "details", "mac"])
        value = _another(chance, name, row[name])
        number = row["id"]
        yield Tampering(
            f"{name} of entry {number} becomes {value!r}",
            partial(tampered.change, "audit", number, **{name: value}),
            10,
            _entry(number),
        )


def details_changed(tampered: Tampered, chance: random.Random) -> Iterator[Tampering]:
    """Change one word or number within the details of an entry."""
    while True:
        row = chance.choice([one for one in _trail(tampered) if one["details"]])
        changed = _changed_within(row["details"], chance)
        yield Tampering(
            f"the details of entry {row['id']} become {changed!r}"[:200],
            partial(tampered.change, "audit", row["id"], details=changed),
            10,
            _entry(row["id"]),
        )


def _changed_within(value: Any, chance: random.Random) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        key = chance.choice(sorted(value))
        return value | {key: _changed_within(value[key], chance)}
    if isinstance(value, list) and value:
        place = chance.randrange(len(value))
        return [*value[:place], _changed_within(value[place], chance), *value[place + 1 :]]
    if isinstance(value, str):
        return value + chance.choice(["!", " ", "\u200b"])
    return chance.choice([0.5, "none", True]) if value != 1 else 1.5


def deleted(tampered: Tampered, chance: random.Random) -> Iterator[Tampering]:
    """Delete one entry or a few, not at the end."""
    while True:
        trail = _trail(tampered)
        first = chance.randrange(1, len(trail) - 5)
        keys = range(first, first + chance.randint(1, 4))
        yield Tampering(
            f"entries {keys} deleted",
            partial(tampered.remove, "audit", *keys),
            10,
            _entry(first),
        )


def closed_up(tampered: Tampered, chance: random.Random) -> Iterator[Tampering]:
    """Delete an entry and number everything behind it anew."""
    while True:
        trail = _trail(tampered)
        gone = chance.randrange(1, len(trail))
        rows = [row | {"id": number} for number, row in enumerate((r for r in trail if r["id"] != gone), start=1)]
        yield Tampering(f"entry {gone} cut out", partial(tampered.put, "audit", rows), 10, _entry(gone))


def inserted(tampered: Tampered, chance: random.Random) -> Iterator[Tampering]:
    """Add an entry at the front, at the end, or in between with everything behind it numbered anew."""
    while True:
        trail = _trail(tampered)
        new = chance.choice(trail) | {"action": "sent", "subject": "reminder", "subject_id": chance.randint(1, 9)}
        place = chance.choice([0, len(trail), chance.randrange(1, len(trail))])
        if place == 0:
            new["id"] = chance.choice([0, -7])
            yield Tampering("an entry before the first", partial(tampered.add, "audit", **new), 10, _entry(1))
            continue
        rows = [row | {"id": number} for number, row in enumerate([*trail[:place], new, *trail[place:]], start=1)]
        yield Tampering(
            f"an entry slipped in behind {place}", partial(tampered.put, "audit", rows), 10, _entry(place + 1)
        )


def swapped(tampered: Tampered, chance: random.Random) -> Iterator[Tampering]:
    """Swap two entries, each with its code."""
    while True:
        trail = _trail(tampered)
        one, other = sorted(chance.sample(range(1, len(trail) + 1), 2))
        turned = {one: other, other: one}
        rows = [row | {"id": turned.get(row["id"], row["id"])} for row in trail]
        yield Tampering(f"{one} and {other} swapped", partial(tampered.put, "audit", rows), 10, _entry(one))


def renumbered(tampered: Tampered, chance: random.Random) -> Iterator[Tampering]:
    """Give an entry, or all from one on, other numbers."""
    while True:
        trail = _trail(tampered)
        first = chance.randrange(1, len(trail))
        last = chance.choice([first, len(trail)])
        far = 10_000 + chance.randrange(100)
        rows = [row | {"id": row["id"] + (far if first <= row["id"] <= last else 0)} for row in trail]
        yield Tampering(f"{first} to {last} moved by {far}", partial(tampered.put, "audit", rows), 10, _entry(first))


def signed_anew(tampered: Tampered, chance: random.Random) -> Iterator[Tampering]:
    """Change an entry and sign everything from there on with another key."""
    while True:
        trail = _trail(tampered)
        first = chance.randrange(1, len(trail) + 1)
        before = trail[first - 2]["mac"] if first > 1 else ""
        rows, changed = trail[: first - 1], chance.choice(["cli", "deliver", "rescue"])
        for row in trail[first - 1 :]:
            new = {name: value for name, value in row.items() if name != "mac"}
            if row["id"] == first:
                new["actor"] = changed
            before = audit_trail._mac(STRANGER, before, new)  # noqa: SLF001 - as somebody would who read the source
            rows.append(new | {"mac": before})
        yield Tampering(f"signed anew from {first} on", partial(tampered.put, "audit", rows), 10, _entry(first))


def replayed(tampered: Tampered, chance: random.Random) -> Iterator[Tampering]:
    """Repeat an old entry at the end, or put one in another's place."""
    while True:
        trail = _trail(tampered)
        old = chance.choice(trail[:-1])
        place = chance.choice([len(trail) + 1, chance.randrange(old["id"] + 1, len(trail) + 1)])
        rows = [row for row in trail if row["id"] != place] + [old | {"id": place}]
        yield Tampering(
            f"entry {old['id']} replayed as {place}", partial(tampered.put, "audit", rows), 10, _entry(place)
        )


TRAIL: dict[str, tuple[Family, int]] = {
    "edited": (edited, 40),
    "details": (details_changed, 14),
    "deleted": (deleted, 12),
    "closed up": (closed_up, 8),
    "inserted": (inserted, 12),
    "swapped": (swapped, 12),
    "renumbered": (renumbered, 8),
    "signed anew": (signed_anew, 10),
    "replayed": (replayed, 10),
}
"""Each family, and how many of it are tried on each database."""


def cut(tampered: Tampered, chance: random.Random) -> Iterator[tuple[int, list[Row]]]:
    """Yield how many entries are left when the end is cut off, and what is left."""
    while True:
        trail = _trail(tampered)
        left = chance.randrange(1, len(trail))
        yield left, trail[:left]
