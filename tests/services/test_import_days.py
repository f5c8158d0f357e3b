"""Days of a file are read one way or not at all."""

import datetime as dt

import pytest

from reminders.services.importing.days import BadDateFormat, Days, TypedDay, Unreadable

DAY = dt.date(2026, 3, 25)


@pytest.mark.parametrize(
    "text",
    [
        *("2026-03-25", "25/03/2026", "03/25/2026", "25.3.2026", "25-03-2026", "3/25/2026"),
        *("2026-03-25 09:15", "2026-03-25T09:15:30", "03/25/2026 09:15 AM", "25/03/2026 21:15", "25/3/2026, 9:15 pm"),
        *("2026-03-25T09:15:00Z", "2026-03-25T09:15:00.123+00:00", "25/03/2026 9 a.m."),
    ],
)
def test_days_that_can_only_be_read_one_way(text: str) -> None:
    assert Days("Europe/London").read(text) == DAY


def test_the_same_number_twice_is_one_day() -> None:
    assert Days("Europe/London").read("04/04/2026") == dt.date(2026, 4, 4)


@pytest.mark.parametrize("text", ["03/04/2026", "3/4/2026", "12-11-2026", "01.02.2026 09:15"])
def test_days_that_may_be_two_days_are_not_guessed(text: str) -> None:
    with pytest.raises(Unreadable, match="--date-format"):
        Days("Europe/London").read(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "31/02/2026",
            "2026-02-30",
            "2026-13-01",
            "25/13/2026",
            "1.2.26",
            "20260325",
            "45000",
            "today",
            "25 March 2026",
        ),
        *("0026-03-25", "25/03/0026", "2026-3-25", "2026-03-25T25:61:00Z", "२०२६-०३-२५", "25/03-2026"),
    ],
)
def test_what_is_no_day(text: str) -> None:
    with pytest.raises(Unreadable):
        Days("Europe/London").read(text)


def test_a_name_in_a_column_of_days_is_not_repeated() -> None:
    with pytest.raises(Unreadable) as caught:
        Days("Europe/London").read("Ann Moss")
    assert "Ann" not in str(caught.value)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("%d/%m/%Y", "25/03/2026"),
        ("%d/%m/%Y", "25/03/2026 09:15 AM"),
        ("%m/%d/%Y", "03/25/2026 21:15"),
        ("%m/%d/%Y %I:%M %p", "03/25/2026 09:15 AM"),
        ("%m/%d/%Y %I:%M %p", "03/25/2026"),
        ("%d %b %Y", "25 Mar 2026"),
        ("%d %m %y", "25 03 26"),
        ("%H:%M %d.%m.%Y", "09:15 25.03.2026"),
        ("%Y%m%d", "20260325"),
    ],
)
def test_a_date_format_rules(form: str, text: str) -> None:
    assert Days("Europe/London", form).read(text) == DAY


def test_with_a_date_format_nothing_else_is_read() -> None:
    days = Days("Europe/London", "%d/%m/%Y")
    assert days.read("03/04/2026") == dt.date(2026, 4, 3)
    with pytest.raises(Unreadable):
        days.read("03/25/2026")


@pytest.mark.parametrize("form", ["%H:%M", "dd/mm/yyyy", "%d/%m", "%", "%-d/%m/%Y", "%Y"])
def test_what_is_no_date_format(form: str) -> None:
    with pytest.raises(BadDateFormat):
        Days("Europe/London", form)


def test_a_moment_that_names_its_offset_is_a_day_of_the_clinic() -> None:
    assert Days("Australia/Sydney").read("2026-03-25T23:30:00Z") == dt.date(2026, 3, 26)
    assert Days("America/New_York").read("2026-03-25T02:30:00+00:00") == dt.date(2026, 3, 24)


def test_a_workbooks_own_day_needs_no_format() -> None:
    days = Days("Europe/London", "%Y-%d-%m")
    assert days.typed(TypedDay("2026-03-04T09:15:00")) == dt.date(2026, 3, 4)
    assert days.written(TypedDay("2026-03-04")) == "2026-04-03"
