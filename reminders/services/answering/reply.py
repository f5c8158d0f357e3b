"""Checks what a patient sent from the page, field by field, against what the page offers.

Invariant: nothing unprintable, over-long or not on offer passes, and what a kind of answer has no use for is dropped;
a refusal names the field and never repeats what was typed.
"""

import datetime as dt
import unicodedata
from dataclasses import dataclass, replace

from reminders.domain.answers import AnswerKind
from reminders.errors import BadInput
from reminders.services.book import AHEAD
from reminders.services.typed import TURNS

LONGEST_NOTE, LONGEST_PHONE = 500, 40
WAYS = ("phone", "email")
TIMES = ("any", "morning", "afternoon", "evening")
TO_BE_CONTACTED = frozenset({AnswerKind.CONSULTATION_REQUESTED, AnswerKind.PHONE_ME})
WITHOUT_WORDS = frozenset({AnswerKind.REMIND_LATER, AnswerKind.STOPPED})
FROM_THE_PAGE = frozenset(AnswerKind) - {AnswerKind.REPLIED}


class ReplyRefused(BadInput):
    """The field {field} of the answer cannot be used ({problem}): mend it and send the answer again."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a patient sent from the page, as typed.

    `contact_by` is "phone" or "email"; `contact_when` "any", "morning", "afternoon" or "evening"; `day` the day booked
    for (optional), the first day of the month treated elsewhere, or the day to be reminded on; `everything` stops all
    messages of the clinic instead of the message's class.
    """

    kind: AnswerKind
    practitioner_id: int | None = None
    contact_by: str | None = None
    contact_when: str | None = None
    note: str = ""
    phone: str = ""
    day: dt.date | None = None
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Offered:
    """What the page offers today: practitioners by id, days to be reminded on, months of a treatment elsewhere.

    `phone_known` says whether there is a number to call without the reply's own.
    """

    today: dt.date
    practitioners: frozenset[int]
    later_days: frozenset[dt.date]
    elsewhere_months: frozenset[dt.date]
    phone_known: bool


def checked(reply: Reply, offered: Offered) -> Reply:
    """Return the reply with its words tidied and what its kind has no use for left out; raises `ReplyRefused`."""
    if reply.kind not in FROM_THE_PAGE:
        raise ReplyRefused(field="kind", problem="unknown")
    note, phone = _note(reply.note), _phone(reply.phone)
    for field, value, known in (
        ("practitioner_id", reply.practitioner_id, offered.practitioners),
        ("contact_by", reply.contact_by, WAYS),
        ("contact_when", reply.contact_when, TIMES),
    ):
        if value is not None and value not in known:
            raise ReplyRefused(field=field, problem="unknown")
    tidy = Reply(reply.kind, day=_day(reply, offered), everything=reply.everything and reply.kind is AnswerKind.STOPPED)
    if reply.kind not in WITHOUT_WORDS:
        tidy = replace(tidy, note=note)
    if reply.kind in TO_BE_CONTACTED:
        by = "phone" if reply.kind is AnswerKind.PHONE_ME else reply.contact_by
        if by == "phone" and not (phone or offered.phone_known):
            raise ReplyRefused(field="phone", problem="missing")
        who, when = reply.practitioner_id, reply.contact_when
        tidy = replace(tidy, practitioner_id=who, contact_by=by, contact_when=when, phone=phone)
    return tidy


def _day(reply: Reply, offered: Offered) -> dt.date | None:
    """Return the day that this kind of answer needs, from those on offer."""
    match reply.kind:
        case AnswerKind.BOOKED:
            return _booked_day(reply.day, offered.today)
        case AnswerKind.TREATED_ELSEWHERE:
            return _one_of(reply.day, offered.elsewhere_months)
        case AnswerKind.REMIND_LATER:
            return _one_of(reply.day, offered.later_days)
    return None


def _booked_day(day: dt.date | None, today: dt.date) -> dt.date | None:
    if day is not None and day < today:
        raise ReplyRefused(field="day", problem="past")
    if day is not None and day > today + AHEAD:
        raise ReplyRefused(field="day", problem="not_offered")
    return day


def _one_of(day: dt.date | None, offered: frozenset[dt.date]) -> dt.date:
    if day is None:
        raise ReplyRefused(field="day", problem="missing")
    if day not in offered:
        raise ReplyRefused(field="day", problem="not_offered")
    return day


def _note(typed: str) -> str:
    note = typed.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(note) > LONGEST_NOTE:
        raise ReplyRefused(field="note", problem="too_long")
    if any(_may_not_show(letter) for letter in note.replace("\n", "")):
        raise ReplyRefused(field="note", problem="control")
    return note


def _phone(typed: str) -> str:
    phone = typed.strip()
    if len(phone) > LONGEST_PHONE:
        raise ReplyRefused(field="phone", problem="too_long")
    if any(_may_not_show(letter) for letter in phone):
        raise ReplyRefused(field="phone", problem="control")
    if phone and not any(letter.isdigit() for letter in phone):
        raise ReplyRefused(field="phone", problem="unknown")
    return phone


def _may_not_show(letter: str) -> bool:
    """Tell whether a letter is a control character, half of one, or turns the direction of what stands around it.

    The two marks that Arabic is written with (U+200E, U+200F) turn nothing but themselves, and stay.
    """
    return unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") or letter in TURNS
