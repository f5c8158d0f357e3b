"""The runs of a patient's clock: what starts one, what ends it, whose protocol rules it, and what moves its window."""

from dataclasses import replace

import pytest

from reminders.domain.episode import Run, runs
from reminders.domain.facts import Episode, Kind, PatientFacts
from reminders.domain.interval import Interval
from tests.support.facts import CATALOGUE, FACE, catalogue, day, patient, protocol, rules

FACE_CODE, LONG_CODE, MIGRAINE_CODE, COURSE_CODE = (
    *("botulinum-cosmetic", "botulinum-cosmetic-long"),
    *("botulinum-migraine", "needling-course"),
)


def _runs(facts: PatientFacts) -> dict[int, Run]:
    return {run.episode.id: run for run in runs(facts, rules())}


def _opens(facts: PatientFacts, episode: int = 1) -> str:
    window = _runs(facts)[episode].window
    assert window is not None
    return str(window.opens)


def _codes(facts: PatientFacts) -> list[str | None]:
    return [run.protocol.code if run.protocol else None for run in runs(facts, rules())]


def test_a_treatment_ends_the_earlier_episode_of_its_line() -> None:
    found = _runs(patient((FACE_CODE, "2026-01-05"), (FACE_CODE, "2026-05-05")))
    assert (found[1].ended_on, found[2].ended_on) == (day("2026-05-05"), None)


def test_another_protocol_of_the_line_ends_it_too() -> None:
    found = _runs(patient((FACE_CODE, "2026-01-05"), (LONG_CODE, "2026-05-05")))
    assert found[1].ended_on == day("2026-05-05")


def test_another_line_ends_nothing() -> None:
    found = _runs(patient((FACE_CODE, "2026-01-05"), (MIGRAINE_CODE, "2026-02-05"), ("filler-lips", "2026-03-05")))
    assert [run.ended_on for run in found.values()] == [None, None, None]


def test_lines_of_two_groups_that_share_a_name_are_two_lines() -> None:
    both = catalogue(protocol("toxin-face", line="face"), protocol("filler-face", group="filler", line="face"))
    facts = patient(("toxin-face", "2026-01-05"), ("filler-face", "2026-02-05"), protocols=both)
    assert [(run.episode.line, run.ended_on) for run in runs(facts, rules(both))] == [
        ("filler/face", None),
        ("toxin/face", None),
    ]


def test_of_several_later_treatments_the_first_ends_the_run() -> None:
    found = _runs(patient((FACE_CODE, "2026-01-05"), (FACE_CODE, "2026-09-05"), (FACE_CODE, "2026-05-05")))
    assert [found[number].ended_on for number in (1, 3, 2)] == [day("2026-05-05"), day("2026-09-05"), None]


def test_a_back_dated_treatment_before_a_known_one_has_ended_already() -> None:
    found = _runs(patient((FACE_CODE, "2026-05-05"), (FACE_CODE, "2026-01-05")))
    assert (found[2].ended_on, found[1].ended_on) == (day("2026-05-05"), None)


@pytest.mark.parametrize("kind", [Kind.TOUCH_UP, Kind.REVIEW])
def test_a_touch_up_or_review_neither_starts_nor_ends_nor_moves_a_run(kind: Kind) -> None:
    plain = _runs(patient((FACE_CODE, "2026-01-05")))
    assert _runs(patient((FACE_CODE, "2026-01-05"), (FACE_CODE, "2026-01-19", kind))) == plain


def test_a_touch_up_alone_is_no_run() -> None:
    assert runs(patient((FACE_CODE, "2026-01-05", Kind.TOUCH_UP)), rules()) == ()


def test_a_touch_up_that_names_its_episode_confirms_nothing() -> None:
    facts = patient((FACE_CODE, "2026-01-05"), (FACE_CODE, "2026-01-19", Kind.TOUCH_UP))
    named = replace(facts, treatments=tuple(treatment._replace(episode_id=1) for treatment in facts.treatments))
    assert _runs(named)[1].day == day("2026-01-05")


def test_an_episode_whose_entries_were_all_withdrawn_has_no_day_and_ends_nothing() -> None:
    facts = patient((FACE_CODE, "2026-01-05"), (FACE_CODE, "2026-05-05"))
    found = _runs(replace(facts, treatments=facts.treatments[:1]))
    assert (found[1].ended_on, found[2].day, found[2].window) == (None, None, None)


def test_an_entry_replaced_within_its_line_keeps_its_episode_and_moves_its_day() -> None:
    facts = patient((FACE_CODE, "2026-01-12"), episodes=(Episode(1, "face", day("2026-01-05")),))
    assert _runs(facts)[1].day == day("2026-01-12")
    assert _opens(facts) == "2026-04-12"


def test_two_protocols_of_one_line_on_one_day_are_one_run_ruled_by_the_latest_opens() -> None:
    early, late = protocol("early", line="face"), protocol("late", "4m 4m 5m 6m", line="face")
    both = catalogue(early, late)
    for entries in (("early", "late"), ("late", "early")):
        facts = patient(*((code, "2026-01-05") for code in entries), protocols=both)
        [run] = runs(facts, rules(both))
        assert run.protocol == late


def test_between_equal_openings_the_later_due_rules() -> None:
    assert _codes(patient((LONG_CODE, "2026-01-05"), (FACE_CODE, "2026-01-05"))) == [LONG_CODE]
    assert _codes(patient(("botulinum-ndo", "2026-01-05"), ("botulinum-oab", "2026-01-05"))) == ["botulinum-ndo"]


def test_between_equal_windows_the_code_rules() -> None:
    both = catalogue(protocol("a", line="face"), protocol("b", line="face"))
    facts = patient(("b", "2026-01-05"), ("a", "2026-01-05"), protocols=both)
    [run] = runs(facts, rules(both))
    assert run.protocol is not None
    assert run.protocol.code == "b"


def test_when_one_of_two_entries_of_a_day_is_withdrawn_the_other_rules() -> None:
    facts = patient((LONG_CODE, "2026-01-05"), (FACE_CODE, "2026-01-05"))
    assert _codes(replace(facts, treatments=facts.treatments[1:])) == [FACE_CODE]


@pytest.mark.parametrize("code", ["peel-light", "gone"])
def test_a_protocol_that_is_off_or_gone_rules_no_window_but_the_day_stands(code: str) -> None:
    [run] = runs(patient((code, "2026-01-05")), rules())
    assert (run.protocol, run.window, run.day) == (None, None, day("2026-01-05"))


def test_an_own_interval_of_the_line_goes_before_the_one_for_every_line() -> None:
    own = {"": Interval.parse("5m"), "face": Interval.parse("14w")}
    found = _runs(patient((FACE_CODE, "2026-01-05"), ("filler-lips", "2026-01-05"), own_due=own))
    dues = {number: str(run.window.due) for number, run in found.items() if run.window}
    assert dues == {1: "2026-04-13", 2: "2026-07-05"}  # lips open at 6m


def test_an_own_interval_may_name_the_line_with_its_group() -> None:
    own = {"face": Interval.parse("5m"), "toxin/face": Interval.parse("14w")}
    [run] = runs(patient((FACE_CODE, "2026-01-05"), own_due=own), rules())
    assert run.window is not None
    assert str(run.window.due) == "2026-04-13"


def test_a_later_treatment_of_another_line_of_the_group_pushes_a_cosmetic_window() -> None:
    facts = patient((FACE_CODE, "2026-01-05"), (MIGRAINE_CODE, "2026-02-01"))
    window = _runs(facts)[1].window
    assert window is not None
    assert str(window.opens) == "2026-05-02"  # 3m after 1 February are 89 days, the minimum is 90
    plain = _runs(patient((FACE_CODE, "2026-01-05")))[1].window
    assert plain is not None
    pushed = {window.opens - plain.opens, window.due - plain.due, window.overdue - plain.overdue}
    assert pushed == {window.closes - plain.closes}


def test_a_medical_line_is_never_moved() -> None:
    alone = _runs(patient((MIGRAINE_CODE, "2026-01-05")))[1].window
    facts = patient((MIGRAINE_CODE, "2026-01-05"), (FACE_CODE, "2026-02-01"), ("botulinum-oab", "2026-03-01"))
    assert _runs(facts)[1].window == alone


@pytest.mark.parametrize(
    "other",
    [
        (MIGRAINE_CODE, "2026-01-05"),  # not later
        (MIGRAINE_CODE, "2025-12-01"),
        (MIGRAINE_CODE, "2026-02-01", Kind.TOUCH_UP),  # not a treatment
        (MIGRAINE_CODE, "2026-02-01", Kind.REVIEW),
        ("filler-lips", "2026-02-01"),  # not of the group
        ("gone", "2026-02-01"),
    ],
)
def test_nothing_else_pushes_it(other: tuple[str, str] | tuple[str, str, Kind]) -> None:
    assert _opens(patient((FACE_CODE, "2026-01-05"), other)) == "2026-04-05"


def test_the_latest_of_several_treatments_of_other_lines_counts() -> None:
    facts = patient((FACE_CODE, "2026-01-05"), ("botulinum-oab", "2026-03-10"), (MIGRAINE_CODE, "2026-02-10"))
    assert _opens(facts) == "2026-06-10"


def test_what_comes_after_a_run_ended_moves_it_no_more() -> None:
    facts = patient((FACE_CODE, "2026-01-05"), (FACE_CODE, "2026-05-05"), (MIGRAINE_CODE, "2026-06-01"))
    assert (_opens(facts, 1), _opens(facts, 2)) == ("2026-04-05", "2026-09-01")


def test_an_own_interval_survives_spacing() -> None:
    own = {"face": Interval.parse("5m")}
    facts = patient((FACE_CODE, "2026-01-05"), (MIGRAINE_CODE, "2026-01-15"), own_due=own)
    window = _runs(facts)[1].window
    assert window is not None
    assert (str(window.opens), str(window.due), str(window.closes)) == ("2026-04-15", "2026-06-15", "2026-08-15")


def test_a_course_hands_over_at_its_last_session() -> None:
    sessions = ("2026-01-05", "2026-02-16", "2026-03-30", "2026-05-11")
    facts = patient(*((COURSE_CODE, on) for on in sessions))
    assert _codes(facts) == [COURSE_CODE, COURSE_CODE, "microneedling", "microneedling"]


def test_a_course_starts_anew_after_its_window_closed() -> None:
    sessions = ("2026-01-05", "2026-02-16", "2026-05-11", "2026-05-12", "2026-08-05")
    facts = patient(*((COURSE_CODE, on) for on in sessions))  # 16 February + 12w is 11 May: that still counts
    assert _codes(facts) == [COURSE_CODE, COURSE_CODE, "microneedling", "microneedling", COURSE_CODE]


def test_a_maintenance_treatment_ends_the_counting_of_sessions() -> None:
    facts = patient(
        (COURSE_CODE, "2026-01-05"),
        (COURSE_CODE, "2026-02-16"),
        ("microneedling", "2026-03-01"),
        (COURSE_CODE, "2026-03-30"),
    )
    assert _codes(facts)[-1] == COURSE_CODE


def test_a_withdrawn_session_does_not_count() -> None:
    facts = patient(*((COURSE_CODE, on) for on in ("2026-01-05", "2026-02-16", "2026-03-30")))
    assert _codes(replace(facts, treatments=facts.treatments[1:]))[1:] == [COURSE_CODE, COURSE_CODE]


def test_a_touch_up_is_no_session() -> None:
    facts = patient(
        (COURSE_CODE, "2026-01-05"), (COURSE_CODE, "2026-02-16"), (COURSE_CODE, "2026-03-02", Kind.TOUCH_UP)
    )
    assert _codes(facts) == [COURSE_CODE, COURSE_CODE]


def test_a_course_whose_following_protocol_is_switched_off_asks_for_nothing_more() -> None:
    off = CATALOGUE | {"microneedling": replace(CATALOGUE["microneedling"], active=False)}
    facts = patient(*((COURSE_CODE, on) for on in ("2026-01-05", "2026-02-16", "2026-03-30")))
    assert runs(facts, rules(off))[-1].protocol is None


def test_an_edited_protocol_rules_the_runs_that_exist() -> None:
    edited = CATALOGUE | {FACE_CODE: replace(FACE, opens=Interval.parse("4m"))}
    [run] = runs(patient((FACE_CODE, "2026-01-05")), rules(edited))
    assert run.window is not None
    assert run.window.opens == day("2026-05-05")
