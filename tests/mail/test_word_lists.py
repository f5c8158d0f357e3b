"""The word lists as data: complete, sourced, free of duplicates; and the version that says which lists were asked."""

import datetime as dt
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
import yaml

from reminders import paths
from reminders.mail.advertising import word_lists
from reminders.mail.advertising.jurisdiction import check_version, findings
from reminders.mail.advertising.lookalikes import folded
from reminders.mail.advertising.word_forms import phrase_of
from reminders.mail.advertising.word_lists import JURISDICTIONS, Term

LISTS = word_lists.lists()
LANGUAGES = ("en", "es", "fr", "de", "pl", "pt", "ar")


def test_every_list_says_what_it_is_what_to_do_instead_and_where_it_comes_from() -> None:
    for group in LISTS.groups.values():
        assert group.title
        assert group.instead
        assert group.sources
        assert set(group.sources) <= set(LISTS.sources)


def test_every_source_is_named_placed_and_dated_or_says_that_it_was_not_read() -> None:
    used = {name for group in LISTS.groups.values() for name in group.sources}
    assert used == set(LISTS.sources)
    for source in LISTS.sources.values():
        assert source.what
        assert source.where.startswith(("https://", "http://")) or source.where == "docs/templates.md"
        if source.verified is not None:
            assert dt.date.fromisoformat(source.verified) >= dt.date(2026, 11, 1)


def test_every_term_has_a_severity_in_every_jurisdiction() -> None:
    for term in LISTS.terms:
        assert set(term.severity) == set(JURISDICTIONS), term.text
        assert set(term.severity.values()) <= {"error", "warning"}


@pytest.mark.parametrize("rules", JURISDICTIONS)
def test_every_jurisdiction_has_something_to_say(rules: str) -> None:
    counted = Counter(term.severity[rules] for term in LISTS.terms)
    assert counted["warning"] > 40
    assert counted["error"] > (200 if rules == "us" else 500)


def test_no_term_stands_in_the_lists_twice_after_folding() -> None:
    counted = Counter((term.rule, term.language, phrase_of(term).words) for term in LISTS.terms)
    assert [words for words, count in counted.items() if count > 1] == []


def test_no_term_has_two_severities() -> None:
    severities: dict[tuple[tuple[str, bool], ...], set[tuple[tuple[str, str], ...]]] = {}
    for term in LISTS.terms:
        severities.setdefault(phrase_of(term).words, set()).add(tuple(sorted(term.severity.items())))
    assert [words for words, found in severities.items() if len(found) > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_of_the_mails_has_its_words(language: str) -> None:
    rules = {term.rule for term in LISTS.terms if term.language == language}
    needed = {
        "toxin-substances",
        "other-medicines",
        "coded-treatments",
        "fillers",
        "inducements",
        "promises",
        "pressure",
    }
    assert needed <= rules | ({"other-medicines"} if language == "ar" else set())


def test_every_term_is_written_as_it_is_read() -> None:
    for term in LISTS.terms:
        words = re.sub(r"\b(?:NUMBER|CURRENCY)\b", "", term.text)
        assert words == words.lower(), term.text
        assert phrase_of(term).words, term.text


def _example(term: Term) -> str:
    if term.compound:
        return f"new{term.compound}"
    return term.text.replace("*", "").replace("NUMBER", "7").replace("CURRENCY", "£")


@pytest.mark.parametrize("rule", LISTS.groups)
def test_every_term_finds_itself(rule: str) -> None:
    for term in LISTS.terms:
        if term.rule == rule:
            found = findings({"text": f"– {_example(term)} –"}, "au")
            assert term.text in {one.term for one in found}, term.text


def test_no_spared_word_is_a_term_of_an_error() -> None:
    errors = {phrase_of(term).words for term in LISTS.terms if "error" in term.severity.values()}
    assert [word for word in LISTS.spared if ((folded(word), False),) in errors] == []


def test_the_version_is_sixteen_digits_and_follows_the_words(tmp_path: Path) -> None:
    assert re.fullmatch(r"[0-9a-f]{16}", check_version())
    copied = Path(shutil.copytree(paths.templates() / "jurisdictions", tmp_path / "lists"))
    assert word_lists.version_of(copied) == check_version()
    spared = copied / "spared.yaml"
    spared.write_text(spared.read_text(encoding="utf-8").replace("button", "batton", 1), encoding="utf-8")
    assert word_lists.version_of(copied) != check_version()


def test_the_lists_are_files_that_people_can_read() -> None:
    for path in (paths.templates() / "jurisdictions").glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        assert text.startswith("# ")
        assert yaml.safe_load(text)
