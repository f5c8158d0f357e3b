"""What patients answer: the kinds, and the value of one answer that still holds.

Invariant: an answer is a fact with codes, days and lines; the words somebody wrote with it never come here.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from reminders.domain.sending_hours import local_day


class AnswerKind(StrEnum):
    """What a patient answered, through a message's page or to staff."""

    CONSULTATION_REQUESTED = "consultation_requested"
    PHONE_ME = "phone_me"
    REPLIED = "replied"
    BOOKED = "booked"
    TREATED_ELSEWHERE = "treated_elsewhere"
    REMIND_LATER = "remind_later"
    WRONG_PERSON = "wrong_person"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer that holds: said at the moment `at`, about `lines` ("group/line"; None is every line).

    `day` is the day booked for (None: not said), the first day of the month treated elsewhere, or the day to be
    reminded on; `asked_at` is when the message that it answers was made (None: staff noted it).
    """

    kind: AnswerKind
    at: dt.datetime
    lines: frozenset[str] | None = None
    day: dt.date | None = None
    asked_at: dt.datetime | None = None

    def concerns(self, clock: str) -> bool:
        """Tell whether it is about the line of that key."""
        return self.lines is None or clock in self.lines

    def elsewhere_on(self, zone: str) -> dt.date | None:
        """Return the day on which a treatment elsewhere counts: the month's last, but not after the day it was said.

        None for every other answer.
        """
        if self.kind is not AnswerKind.TREATED_ELSEWHERE or self.day is None:
            return None
        next_month = (self.day.replace(day=1) + dt.timedelta(days=31)).replace(day=1)
        return min(next_month - dt.timedelta(days=1), local_day(zone, self.at))

    def ends_on(self, treated: dt.date, zone: str) -> dt.date | None:
        """Return the day on which a treatment elsewhere ends the run that a treatment of the day `treated` began.

        None where it ends none: of what began on the message's day or later the patient was not asked, and an old link
        would end a run that the clinic's own treatment has started since.
        """
        on = self.elsewhere_on(zone)
        if on is None or treated >= on:
            return None
        return on if self.asked_at is None or treated < local_day(zone, self.asked_at) else None


LASTING = frozenset({AnswerKind.TREATED_ELSEWHERE, AnswerKind.REMIND_LATER})
"""Facts that hold until the patient takes them back; the others hold nothing back once staff have closed them."""
