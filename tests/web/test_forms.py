"""What a form says: a day is one that a date field sends, and nothing that merely could be read as one."""

import datetime as dt

import pytest

from reminders.domain.answers import AnswerKind
from reminders.services.answering.answer import ReplyRefused
from reminders.web.forms import TypedForm, reply_of


def the_day(typed: str) -> dt.date | None:
    return reply_of(TypedForm(AnswerKind.BOOKED, {"day": typed})).day


def test_a_day_is_year_month_and_day() -> None:
    assert the_day("2026-04-01") == the_day(" 2026-04-01 ") == dt.date(2026, 4, 1)
    assert the_day("") is None


@pytest.mark.parametrize(
    "typed",
    [
        *("20260401", "2026-W14-3", "2026W143", "2026-W14", "2026-091", "2026-4-1", "01/04/2026", "2026-02-30"),
        *(
            "2026-04-01T00:00",
            "\u0662\u0660\u0662\u0666-04-01",
            "2026-04",
            "0000-01-01",
            "-2026-04-01",
            "2026-04-01\n1",
        ),
    ],
)
def test_whatever_else_is_no_day(typed: str) -> None:
    with pytest.raises(ReplyRefused):
        the_day(typed)
