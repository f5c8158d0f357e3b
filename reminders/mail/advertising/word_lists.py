"""Reads the lists of words that advertising rules forbid or frown upon: groups of terms with severities and sources.

Invariant: every term belongs to a group with a title, an advice, a source and a severity; the version changes whenever
a byte of the lists does.
"""

import functools
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import yaml

from reminders import paths

Severity = Literal["error", "warning"]
JURISDICTIONS = ("us", "uk", "au", "eu")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule comes from: an act or a page, and the day its text was read (None: it was not)."""

    what: str
    where: str
    verified: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """One entry of a list, as the list writes it: a star takes any ending; NUMBER, CURRENCY and % are tokens.

    Two entries are never equal, so that each is found for itself.

    `fuzzy` and `joined` say whether misspellings, and words that together spell the term, count where `tricks` is
    "full"; `names` that it counts also where a person is called so. A term in stars stands for the words made with it.
    """

    text: str
    language: str
    rule: str
    severity: Mapping[str, Severity]
    tricks: Literal["full", "plain"]
    fuzzy: bool
    joined: bool
    names: bool

    @property
    def compound(self) -> str:
        """Return what the words of this term are made with; empty for every term without a star before it."""
        return self.text.strip("*") if self.text.startswith("*") else ""


@dataclass(frozen=True, slots=True)
class Group:
    """A list: what its terms are, and what to do instead.

    `negatable` says that a sentence which denies a term is left alone, `places` that clinics and streets are called so:
    in their own names and addresses a term is a warning.
    """

    rule: str
    title: str
    instead: str
    sources: tuple[str, ...]
    negatable: bool
    places: bool


@dataclass(frozen=True, slots=True)
class Lists:
    """All lists: the groups by rule, every term, the sources by name, the ordinary words that lie near a term."""

    groups: Mapping[str, Group]
    terms: tuple[Term, ...]
    sources: Mapping[str, Source]
    spared: frozenset[str]


def version() -> str:
    """Return 16 hex characters that change with the lists: recorded with each message that was checked by them."""
    return _version(_folder())


def lists() -> Lists:
    """Return the lists that travel with the product, read once."""
    return _read(_folder())


@functools.cache  # it is asked for with every message
def _folder() -> Path:
    return paths.templates() / "jurisdictions"


def version_of(folder: Path) -> str:
    """Return the version of the lists in a folder; line ends of another system change nothing."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.yaml")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()[:16]


@functools.lru_cache(maxsize=4)
def _version(folder: Path) -> str:
    return version_of(folder)


@functools.lru_cache(maxsize=4)
def _read(folder: Path) -> Lists:
    found: dict[str, dict[str, Any]] = {"groups": {}, "sources": {}, "spared": {}}
    for path in sorted(folder.glob("*.yaml")):
        for part, entries in _plain(path).items():
            found[part].update(entries)
    groups = found["groups"]
    return Lists(
        groups={rule: _group(rule, entry) for rule, entry in groups.items()},
        terms=tuple(term for rule, entry in groups.items() for term in _terms(rule, entry)),
        sources={name: _source(entry) for name, entry in found["sources"].items()},
        spared=frozenset(word for words in found["spared"].values() for word in words),
    )


def _plain(path: Path) -> dict[str, dict[str, Any]]:
    """Return a file's mappings; the reader written in C takes a tenth of the time where it is there."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return cast("dict[str, dict[str, Any]]", yaml.load(path.read_bytes(), Loader=loader))  # noqa: S506 - both are safe


def _group(rule: str, entry: Mapping[str, Any]) -> Group:
    negatable, places = bool(entry.get("negatable", False)), bool(entry.get("places", False))
    return Group(rule, entry["title"], entry["instead"], tuple(entry["sources"]), negatable, places)


def _source(entry: Mapping[str, Any]) -> Source:
    verified = entry["verified"]
    return Source(entry["what"], entry["where"], None if verified is None else str(verified))


def _terms(rule: str, entry: Mapping[str, Any]) -> Iterator[Term]:
    for language, terms in entry["terms"].items():
        for written in terms:
            own = written if isinstance(written, dict) else {"term": written}
            yield Term(
                text=own["term"],
                language=language,
                rule=rule,
                severity=own.get("severity", entry["severity"]),
                tricks=own.get("tricks", entry["tricks"]),
                fuzzy=own.get("fuzzy", entry.get("fuzzy", True)),
                joined=own.get("joined", True),
                names=own.get("names", entry.get("names", False)),
            )
