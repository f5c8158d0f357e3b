"""What is wrong with a catalogue is found before it rules anybody's window, whatever the day of treatment."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminders.domain.catalogue_rules import complaints
from reminders.domain.interval import Interval
from reminders.domain.protocol import Anchor, Protocol, Step
from reminders.domain.window import allowed_days, window_of
from tests.support.facts import CATALOGUE, COURSE, FACE, MEDICAL, MIGRAINE, NEEDLING, catalogue, protocol

WHOLE_CYCLE = [dt.date(2024, 1, 1) + dt.timedelta(days=n) for n in range(1461)]


def _found(*protocols: Protocol) -> list[tuple[str, str, str]]:
    return [(one.code, one.field, one.problem) for one in complaints(catalogue(*protocols))]


def _fields(*protocols: Protocol) -> list[str]:
    return [field for _, field, _ in _found(*protocols)]


def test_a_catalogue_in_order_has_no_complaint() -> None:
    assert complaints(CATALOGUE) == ()
    assert complaints({}) == ()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": "Filler Lips"}, "code"),
        ({"code": ""}, "code"),
        ({"code": "a" * 64}, "code"),
        ({"group": "-toxin"}, "group"),
        ({"line": ""}, "line"),
        ({"line": "gesicht/stirn"}, "line"),
        ({"name": "two\nlines"}, "name"),
        ({"label": {}}, "label"),
        ({"label": {"de": "Kontrolle"}}, "label"),
        ({"label": {"en": "  "}}, "label"),
        ({"label": {"en": "a\nb"}}, "label"),
        ({"label": {"en": "a\u202eb"}}, "label"),
        ({"label": {"en": "a follow-up", "de": ""}}, "label"),
        ({"label": {"en": "a follow-up", "all tongues": "a"}}, "label"),
        ({"min_days": -1}, "min_days"),
    ],
)
def test_a_name_or_label_that_cannot_be_used_is_told(change: dict[str, Any], field: str) -> None:
    assert set(_fields(replace(FACE, **change))) == {field}


def test_labels_of_other_languages_and_scripts_are_fine() -> None:
    assert (
        _found(replace(FACE, label={"en": "a follow-up", "de-AT": "eine Nachkontrolle", "ja": "フォローアップ相談"}))
        == []
    )


@pytest.mark.parametrize(
    ("window", "fields"),
    [
        ("4m 3m 5m 6m", ["window.due"]),
        ("3m 4m 3m 6m", ["window.overdue"]),
        ("3m 4m 5m 4m", ["window.closes"]),
        ("3m 4m -5m 6m", ["window.overdue"]),
        ("3m 3m 3m 6m", []),
        ("12w 3m 5m 6m", []),  # 84 days are never more than three months
        ("13w 3m 5m 6m", ["window.due"]),  # 91 days are on most days
        ("89d 3m 5m 6m", []),
        ("90d 3m 5m 6m", ["window.due"]),  # three months are 89 days from 1 February on
    ],
)
def test_the_window_ascends_for_every_day_of_treatment(window: str, fields: list[str]) -> None:
    assert _fields(protocol("one", window, "closes -1w")) == fields


def test_a_complaint_says_what_is_before_what_and_for_which_day() -> None:
    assert _found(protocol("one", "90d 3m 5m 6m", "closes -1w")) == [
        ("one", "window.due", "is before opens, for a treatment on 2025-01-31")
    ]


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ("opens 0d, opens 0d", "each must come on a later day than the one before it"),
        ("due 0d, opens 0d", "each must come on a later day than the one before it"),
        ("opens 0d, due -1m", "each must come on a later day than the one before it"),  # 3m and 4m - 1m
        ("opens 4w, due 0d", "each must come on a later day than the one before it"),  # a February lies between
        ("opens 27d, due 0d", ""),
        ("opens -3m, due 0d", "each must come after the treatment itself"),
        ("opens -13w, due 0d", "each must come after the treatment itself"),
        ("opens -12w, due 0d", ""),
        ("opens 0d, closes 1d", "none may come after the window closes"),
        ("opens 0d, closes 0d", ""),
        ("due 2m1d", "none may come after the window closes"),
    ],
)
def test_the_steps_ascend_from_after_the_treatment_to_closes_for_every_day(steps: str, problem: str) -> None:
    found = {told.partition(", for a treatment")[0] for _, _, told in _found(protocol("one", steps=steps))}
    assert found == ({problem} if problem else set())


def test_a_step_on_the_day_of_the_treatment_itself_is_told() -> None:
    assert _fields(protocol("one", "2w 4m 5m 6m", "opens -2w")) == ["steps"]
    assert _fields(protocol("one", "15d 4m 5m 6m", "opens -2w")) == []


def test_an_offset_in_months_is_tried_from_every_day_not_only_from_the_ends_of_months() -> None:
    [(_, field, problem)] = _found(protocol("one", "1m 2m3d 4m 6m", "opens 0d, due -1m"))
    assert (field, problem.rpartition(" ")[2]) == ("steps", "2025-01-28")  # 28 February twice; from the 29th on not


def test_a_minimum_of_days_that_pushes_steps_together_is_told() -> None:
    assert _fields(protocol("one", steps="opens 0d, due 0d", min_days=119)) == []
    assert _fields(protocol("one", steps="opens 0d, due 0d", min_days=121)) == ["steps"]


@pytest.mark.parametrize(
    ("names", "fine"),
    [
        (["invitation"], True),
        (["invitation", "follow_up"], True),
        (["invitation", "follow_up", "last_call"], True),
        ([], False),
        (["follow_up"], False),
        (["invitation", "last_call"], False),
        (["invitation", "invitation"], False),
        (["invitation", "follow_up", "last_call", "another"], False),
    ],
)
def test_a_protocol_of_n_steps_takes_the_first_n_names(names: list[str], *, fine: bool) -> None:
    steps = tuple(Step(name, Anchor.OPENS, Interval(weeks=place)) for place, name in enumerate(names))
    assert (_found(replace(FACE, steps=steps)) == []) is fine


def test_a_medical_protocol_has_no_last_call() -> None:
    assert _fields(replace(FACE, class_name=MEDICAL)) == ["steps"]
    assert _found(MIGRAINE) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sessions": None}, "sessions"),
        ({"sessions": 1}, "sessions"),
        ({"then": None}, "then"),
        ({"then": "nowhere"}, "then"),
        ({"then": "needling-course"}, "then"),
        ({"then": "filler-lips"}, "then"),  # another line
        ({"class_name": MEDICAL}, "then"),  # another class
    ],
)
def test_a_course_states_its_sessions_and_what_follows_it(change: dict[str, Any], field: str) -> None:
    assert _fields(replace(COURSE, **change), NEEDLING, CATALOGUE["filler-lips"]) == [field]


def test_an_interval_beyond_the_calendar_is_told() -> None:
    assert _fields(replace(FACE, closes=Interval.parse("999y"), overdue=Interval.parse("998y"))) == []
    far = replace(FACE, due=Interval(years=9000), overdue=Interval(years=9000), closes=Interval(years=9000))
    assert _fields(far) == ["window"]


OFFSETS = st.builds(
    Interval, months=st.integers(0, 2), weeks=st.integers(0, 3), days=st.integers(0, 3), negative=st.booleans()
)
WINDOWS = st.sampled_from(["3m 4m 5m 6m", "12w 12w 14w 20w", "88d 3m 13w 6m", "1m 31d 5w 2m", "4m 4m 4m 5m1d"])


@settings(max_examples=80)
@given(WINDOWS, st.lists(st.tuples(st.sampled_from(Anchor), OFFSETS), min_size=1, max_size=3), st.sampled_from([0, 90]))
def test_a_protocol_without_complaints_keeps_the_order_on_every_day_of_a_leap_cycle_and_no_other_does(
    window: str, steps: list[tuple[Anchor, Interval]], min_days: int
) -> None:
    plain = protocol("one", window, min_days=min_days)
    named = tuple(Step(step.name, *steps[n]) for n, step in enumerate(plain.steps) if n < len(steps))
    one = replace(plain, steps=named)
    assert (_found(one) == []) == all(_in_order(one, day) for day in WHOLE_CYCLE)


def _in_order(one: Protocol, day: dt.date) -> bool:
    bare = [interval.after(day) for interval in (one.opens, one.due, one.overdue, one.closes)]
    window = window_of(one, day)
    firsts = [allowed.first for allowed in allowed_days(one, window)]
    ascending = firsts == sorted(set(firsts))
    return bare == sorted(bare) and ascending and day < min(firsts) and max(firsts) <= window.closes
