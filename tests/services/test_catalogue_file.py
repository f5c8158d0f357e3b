"""A catalogue file is taken as a whole or not at all, with every complaint and its line; what is written reads back."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reminders.domain.catalogue_rules import complaints
from reminders.domain.definition import as_plain
from reminders.domain.protocol import Anchor, Protocol, TreatmentClass
from reminders.services.catalogue_file import (
    LARGEST,
    BadCatalogue,
    NoCatalogueFile,
    read_catalogue,
    starter_catalogue,
    write_catalogue,
)
from tests.support.facts import CATALOGUE, NEEDLING, protocol

GOOD = """\
protocols:
  - code: filler-lips
    name: Filler, lips
    label: a follow-up consultation
    class: cosmetic
    group: filler
    line: lips
    window: {opens: 6m, due: 8m, overdue: 10m, closes: 12m}
    steps:
      - {name: invitation, anchor: due, offset: -2w}
      - {name: follow_up, anchor: due, offset: 4w}
"""


def said(tmp_path: Path, content: str | bytes) -> list[str]:
    """Return the complaints about a file, each with its line."""
    path = tmp_path / "catalogue.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadCatalogue) as caught:
        read_catalogue(path)
    return str(caught.value.facts["complaints"]).split("; ")


def read(tmp_path: Path, content: str) -> tuple[Protocol, ...]:
    path = tmp_path / "catalogue.yaml"
    path.write_text(content, encoding="utf-8")
    return read_catalogue(path)


def changed(**lines: str) -> str:
    """Return the good file with the line of a key replaced; an empty text takes it out."""
    kept = []
    for line in GOOD.splitlines():
        key = line.strip(" -").partition(":")[0]
        kept += [lines[key]] if lines.get(key) else [] if key in lines else [line]
    return "\n".join(kept) + "\n"


# the starter catalogue

STARTER = {
    "botulinum-cosmetic": ("cosmetic", "toxin", "3m 4m 5m 6m", "opens -2w, due 0d, closes -3w"),
    "botulinum-cosmetic-long": ("cosmetic", "toxin", "3m 6m 7m 9m", "due -3w, due 3w"),
    "botulinum-migraine": ("medical", "toxin", "12w 12w 14w 20w", "opens -4w, due 1w"),
    "botulinum-hyperhidrosis": ("medical", "toxin", "16w 6m 8m 12m", "due -4w, due 4w"),
    "botulinum-oab": ("medical", "toxin", "12w 24w 30w 52w", "due -4w, due 4w"),
    "botulinum-ndo": ("medical", "toxin", "12w 42w 48w 60w", "due -6w, due 2w"),
    "botulinum-spasticity": ("medical", "toxin", "12w 14w 18w 26w", "opens -3w, due 1w"),
    "botulinum-cervical-dystonia": ("medical", "toxin", "12w 12w 15w 24w", "opens -4w, due 1w"),
    "botulinum-blepharospasm": ("medical", "toxin", "3m 3m 4m 6m", "opens -3w, due 1w"),
    "filler-lips": ("cosmetic", "filler", "6m 8m 10m 12m", "due -2w, due 4w"),
    "filler-face": ("cosmetic", "filler", "9m 12m 15m 18m", "due -2w, due 6w"),
    "filler-tear-trough": ("cosmetic", "filler", "12m 18m 24m 30m", "due 0d"),
    "skin-booster": ("cosmetic", "skin", "6m 8m 10m 12m", "due -2w, due 4w"),
    "peel-medium": ("cosmetic", "skin", "4m 5m 6m 8m", "due -2w, due 2w"),
    "microneedling": ("cosmetic", "skin", "4m 5m 6m 8m", "due -2w, due 2w"),
    "laser-hair": ("cosmetic", "laser", "10m 12m 14m 16m", "due -3w"),
    "microneedling-course": ("cosmetic", "skin", "4w 6w 8w 12w", "due -1w"),
    "laser-hair-course": ("cosmetic", "laser", "4w 6w 8w 12w", "due -1w"),
}


def test_the_starter_catalogue_has_the_intervals_and_steps_of_the_field() -> None:
    shipped = {one.code: one for one in starter_catalogue() if one.active}
    assert shipped.keys() == STARTER.keys()
    for code, (class_name, group, window, steps) in STARTER.items():
        one = shipped[code]
        assert (one.class_name, one.group) == (class_name, group)
        assert f"{one.opens} {one.due} {one.overdue} {one.closes}" == window
        assert ", ".join(f"{step.anchor} {step.offset}" for step in one.steps) == steps
        assert one.source
        assert one.verified


def test_the_starter_catalogue_passes_its_own_rules_and_is_open_about_what_is_unconfirmed() -> None:
    starter = starter_catalogue()
    assert complaints({one.code: one for one in starter}) == ()
    assert {one.code for one in starter if not one.active} == {"peel-light", "peel-deep", "botulinum-sialorrhoea"}
    assert {one.verified for one in starter if not one.active} == {"K"}
    assert {one.code for one in starter if one.min_days} == {"botulinum-cosmetic", "botulinum-cosmetic-long"}


def test_a_patient_reads_the_same_words_whatever_was_done() -> None:
    words = {(one.class_name, one.label_in("en")) for one in starter_catalogue()}
    assert words == {("cosmetic", "a follow-up consultation"), ("medical", "your clinic review")}


def test_two_groups_may_treat_one_place_and_keep_their_own_clocks() -> None:
    shipped = {one.code: one for one in starter_catalogue()}
    toxin, filler = shipped["botulinum-cosmetic"], shipped["filler-face"]
    assert (toxin.line, filler.line) == ("face", "face")
    assert (toxin.clock, filler.clock) == ("toxin/face", "filler/face")


# reading


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (changed(name=""), ["line 2: name is missing"]),
        (changed(name="    name:"), ["line 3: name is missing"]),
        (changed(name="    name: 12"), ["line 3: name must be text: put it in quotes"]),
        (changed(name="    name: [a, b]"), ["line 3: name must be text: put it in quotes"]),
        (changed(group="    group: filler\n    group: skin"), ["line 7: 'group' stands here again (first on line 6)"]),
        (changed(window="    window: {opens: 6x, due: 8m, overdue: 10m, closes: 12}"), [
            "line 8: window.opens '6x' is no interval: write it like 3m, 6m1d, 12w or -2w",
            "line 8: window.closes '12' is no interval: write it like 3m, 6m1d, 12w or -2w",
        ]),
        (changed(window="    window: 6m"), ["line 8: window must be keys with values"]),
        (changed(line="    line: lips\n    min_days: 1e3"), ["line 8: min_days must be a whole number"]),
        (changed(line="    line: lips\n    active: perhaps"), ["line 8: active must be true or false"]),
        (changed(line="    line: lips\n    effective_on: May"), ["line 8: effective_on is no day such as 2027-03-25"]),
        (changed(line="    line: Lips!"), ["line 7: line of filler-lips must be 1 to 63 small letters"]),
        (changed(window="    window:\n      opens: 6m\n      due: 5m\n      overdue: 10m\n      closes: 12m"), [
            "line 10: window.due of filler-lips is before opens, for a treatment on 2024-01-01",
        ]),
        (GOOD + GOOD.partition("\n")[2], ["line 12: the code 'filler-lips' is used already"]),
    ],
)  # fmt: skip
def test_a_complaint_names_its_line(tmp_path: Path, content: str, expected: list[str]) -> None:
    found = said(tmp_path, content)
    assert all(any(line.startswith(one) for line in found) for one in expected), found


def test_an_unknown_key_is_told_with_the_known_ones(tmp_path: Path) -> None:
    [complaint] = said(tmp_path, changed(line="    line: lips\n    colour: red"))
    assert complaint.startswith("line 8: the key 'colour' is unknown: use code, name, label")


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    content = changed(name="", line="    line: Lips!") + changed(code="  - code: other", window="").partition("\n")[2]
    assert [line.partition(":")[0] for line in said(tmp_path, content)] == ["line 2", "line 11"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "line 1: the file is empty"),
        (b"protocols: []", "line 1: there is no protocol in it"),
        (b"protocols: 3", "line 1: there must be a list of protocols"),
        (b"a: 1\nprotocols: [\0]", "line 2: it holds a NUL byte, so it is no text in UTF-8"),
        (b"a: 1\nb: \xe4", "line 2: it is not written in UTF-8: save it in that encoding"),
        (b"x: [", "line 1: while parsing a flow node"),
        (b"[" * 5000, "line 1: it is nested too deep for a catalogue"),
        (b"#" * (LARGEST + 1), f"line 1: the file is over {LARGEST} bytes"),
        (b"protocols: &a [*a]", "line 1: anchors and aliases (& and *) are not read"),
        (b"protocols:\n- !!python/name:os.system x", "line 2: tags (!) are not read"),
        (b"---\n[]\n---\n[]", "line 3: expected a single document"),
        (b"protocols: [\x07]", "line 1: it holds a character that is no text"),
    ],
)
def test_what_is_no_catalogue_is_refused_with_a_reason(tmp_path: Path, content: bytes, expected: str) -> None:
    assert said(tmp_path, content)[0].startswith(expected)


def test_a_thousandfold_alias_is_not_expanded(tmp_path: Path) -> None:
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert "anchors and aliases" in said(tmp_path, "\n".join(["a0: &a0 [x]", *levels]))[0]


def test_a_missing_file_and_a_folder_are_refused_by_name(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(NoCatalogueFile, match="There is no readable catalogue file"):
            read_catalogue(path)


def test_a_course_may_lead_to_a_protocol_that_is_stored_already(tmp_path: Path) -> None:
    path = tmp_path / "course.yaml"
    path.write_text(write_catalogue([CATALOGUE["needling-course"]]), encoding="utf-8")
    assert read_catalogue(path) == read_catalogue(path, {NEEDLING.code: NEEDLING})
    with pytest.raises(BadCatalogue, match="line 29: then of needling-course must name the protocol that follows"):
        read_catalogue(path, {})


# JSON, and writing


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_json_is_read_by_the_same_reader(tmp_path: Path, indent: int | str | None) -> None:
    one = protocol("filler-lips", name='Filler "lips" 😀 {a: b} #x', label={"en": "a visit", "de": "ein Gespräch"})
    assert read(tmp_path, json.dumps([as_plain(one)], indent=indent)) == (one,)
    assert read(tmp_path, json.dumps({"protocols": [as_plain(one)]}, indent=indent, ensure_ascii=False)) == (one,)


def test_the_starter_catalogue_survives_being_written_and_read(tmp_path: Path) -> None:
    starter = starter_catalogue()
    assert read(tmp_path, write_catalogue(starter)) == starter


WORDS = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" "), min_size=1, max_size=30)
TIDY = WORDS.map(lambda words: " ".join(words.split())).filter(bool)
ODD = st.sampled_from(
    [
        *("yes", "null", "~", "12", "3m", "1e3", "2027-01-01", "- a", "a: b", "#x", "a #b", "[", "{}", "a, b"),
        *("'", '"', "\\", "<<", "*a", "&a", "!x", "%", "@", "`", "a:", "? a", "| x", "> x"),
    ]
)


@given(name=TIDY | ODD, label=TIDY | ODD, source=TIDY | ODD, active=st.booleans(), medical=st.booleans())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_words_are_they_survive_being_written_and_read(
    tmp_path: Path, *, name: str, label: str, source: str, active: bool, medical: bool
) -> None:
    class_name = TreatmentClass.MEDICAL if medical else TreatmentClass.COSMETIC
    one = protocol(
        "some-code", steps="due 0d", name=name, label={"en": label}, source=source, active=active, class_name=class_name
    )
    assert one.steps[0].anchor is Anchor.DUE
    assert read(tmp_path, write_catalogue([one])) == (one,)
