"""Reads a catalogue of protocols from a YAML or JSON file, and writes one for people to read and change.

Invariants: a file is taken as a whole or not at all, with every complaint about it and its line; what is written reads
back as the same protocols.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import yaml

from reminders import paths
from reminders.domain import catalogue_rules
from reminders.domain.interval import Interval
from reminders.domain.protocol import Anchor, Protocol, Step, TreatmentClass
from reminders.errors import BadInput
from reminders.services.catalogue_yaml import Complaints, Reading, compose, shown

LARGEST = 1024 * 1024
"""Bytes of a catalogue file; the starter catalogue has about 12,000."""

MOST_SAID = 200
_DAYS = ("opens", "due", "overdue", "closes")
_STEP_KEYS = ("name", "anchor", "offset")
_KEYS = (
    *("code", "name", "label", "class", "group", "line", "min_days", "window", "steps"),
    *("sessions", "then", "active", "source", "verified", "version", "effective_on"),
)

_HEAD = """\
# The catalogue of protocols. Change it and give it back with `reminders protocol import FILE`: every difference becomes
# a new version, and everything that is not sent yet is planned again. Leaving a protocol out changes nothing.
#
# code      what entries and imports name it by; stays for ever, as does its line once treatments are recorded
# name      for the staff; a patient never sees it
# label     what a patient reads, by language
# class     cosmetic or medical; no message mixes the two
# group     lines whose treatments must be spaced
# line      what one clock runs for; a treatment ends the earlier episode of its line
# min_days  `opens` is never sooner than this many days after the treatment
# window    days counted from the treatment's day, in years, months, weeks and days (6m, 12w, 6m1d)
# steps     one message each, `offset` counted from the day `anchor`
# sessions  a course: this protocol rules between that many sessions, and from the last one on the protocol `then`
# active    false switches a protocol off
# source    where the intervals come from; `verified` says how sure they are
# version   is given by the product; what stands here is not read into anything
"""


class BadCatalogue(BadInput):
    """{place} cannot be used as a catalogue, and nothing was changed: {complaints}."""


class NoCatalogueFile(BadInput):
    """There is no readable catalogue file {place}: {problem}."""


def read_catalogue(path: Path, known: Mapping[str, Protocol] | None = None) -> tuple[Protocol, ...]:
    """Return the protocols of a YAML or JSON file: a list of them, or a mapping with the key `protocols`.

    `known` are the protocols stored already, which a course may name in `then`; without them a name that the file does
    not hold is left to `catalogue.import_catalogue`. Raises `BadCatalogue` with every complaint, `NoCatalogueFile`.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise NoCatalogueFile(place=path, problem=error.strerror or "it cannot be read") from None
    complaints = Complaints()
    protocols = _read(content, known, complaints)
    if complaints:
        raise BadCatalogue(place=path, complaints=_said(complaints.lines()))
    return protocols


def starter_catalogue() -> tuple[Protocol, ...]:
    """Return the protocols that travel with the product."""
    return read_catalogue(paths.templates() / "catalogue.yaml", {})


def write_catalogue(protocols: Iterable[Protocol]) -> str:
    """Return the protocols as YAML with comments; `read_catalogue` reads it back as the same ones."""
    written = [_HEAD, "protocols:" if (entries := [_entry(protocol) for protocol in protocols]) else "protocols: []"]
    return "\n".join(written + entries) + ("" if entries else "\n")


def _said(lines: Sequence[str]) -> str:
    more = [f"and {len(lines) - MOST_SAID} more"] if len(lines) > MOST_SAID else []
    return "; ".join([*lines[:MOST_SAID], *more])


def _read(content: bytes, known: Mapping[str, Protocol] | None, complaints: Complaints) -> tuple[Protocol, ...]:
    text = _decoded(content, complaints)
    root = compose(text, complaints) if text is not None else None
    if root is None or complaints:
        return ()
    found: dict[str, tuple[Protocol, dict[str, int]]] = {}
    broken = set[str]()
    for node in _entries_of(root, complaints):
        before = len(complaints)
        protocol, lines = _protocol(node, complaints)
        if protocol.code in found:
            complaints.add(lines["code"], f"the code {shown(protocol.code)} is used already")
        elif len(complaints) == before:
            found[protocol.code] = protocol, lines
        else:
            broken.add(protocol.code)
    _check_rules(found, broken, known, complaints)
    return tuple(protocol for protocol, _ in found.values())


def _decoded(content: bytes, complaints: Complaints) -> str | None:
    if len(content) > LARGEST:
        complaints.add(1, f"the file is over {LARGEST} bytes, which no catalogue is")
        return None
    if b"\0" in content:
        complaints.add(
            content[: content.index(b"\0")].count(b"\n") + 1, "it holds a NUL byte, so it is no text in UTF-8"
        )
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        complaints.add(line, "it is not written in UTF-8: save it in that encoding")
        return None


def _entries_of(root: yaml.Node, complaints: Complaints) -> list[yaml.Node]:
    if isinstance(root, yaml.MappingNode):
        top = Reading(root, "", ("protocols",), complaints)
        listed = top.node("protocols")
        if listed is None:
            return []
        root = listed
    if not isinstance(root, yaml.SequenceNode):
        complaints.add(root.start_mark.line + 1, "there must be a list of protocols")
        return []
    if not root.value:
        complaints.add(root.start_mark.line + 1, "there is no protocol in it")
    return list(root.value)


def _protocol(node: yaml.Node, complaints: Complaints) -> tuple[Protocol, dict[str, int]]:
    """Return one protocol, and the line of each key (`window.due` for those below); wrong values are stood in for."""
    at = Reading(node, "", _KEYS, complaints)
    window_node = at.node("window")
    window = Reading(window_node, "window.", _DAYS, complaints) if window_node else None
    opens, due, overdue, closes = (window.interval(day) if window else Interval() for day in _DAYS)
    protocol = Protocol(
        code=at.text("code"),
        name=at.text("name"),
        label=_label(at, complaints),
        class_name=at.one_of("class", TreatmentClass),
        group=at.text("group"),
        line=at.text("line"),
        opens=opens,
        due=due,
        overdue=overdue,
        closes=closes,
        steps=_steps(at, complaints),
        min_days=at.number("min_days", 0) or 0,
        source=at.text("source", needed=False),
        verified=at.text("verified", needed=False),
        version=at.number("version", 1) or 1,
        active=at.flag("active", default=True),
        sessions=at.number("sessions"),
        then=at.text("then", needed=False) or None,
        effective_on=_day(at, "effective_on"),
    )
    lines = {"": at.line, "code": at.line} | at.lines
    if window:
        lines |= {f"window.{day}": line for day, line in window.lines.items()}
    return protocol, lines


def _label(at: Reading, complaints: Complaints) -> dict[str, str]:
    """Return the words by language; plain words are English."""
    node = at.node("label")
    if not isinstance(node, yaml.MappingNode):
        return {"en": at.text("label")} if node is not None else {}
    words = Reading(node, "label.", None, complaints)
    return {language: words.text(language) for language in words.keys}


def _steps(at: Reading, complaints: Complaints) -> tuple[Step, ...]:
    node = at.node("steps")
    if node is None:
        return ()
    if not isinstance(node, yaml.SequenceNode):
        at.wrong("steps", "must be a list")
        return ()
    read = [Reading(step, "steps.", _STEP_KEYS, complaints) for step in node.value]
    return tuple(Step(step.text("name"), step.one_of("anchor", Anchor), step.interval("offset")) for step in read)


def _day(at: Reading, key: str) -> dt.date | None:
    words = at.text(key, needed=False)
    try:
        return dt.date.fromisoformat(words) if words else None
    except ValueError:
        at.wrong(key, "is no day such as 2027-03-25")
        return None


def _check_rules(
    found: Mapping[str, tuple[Protocol, Mapping[str, int]]],
    broken: set[str],
    known: Mapping[str, Protocol] | None,
    complaints: Complaints,
) -> None:
    """Complain about what the domain finds wrong with the protocols that could be read."""
    together = dict(known or {}) | {code: protocol for code, (protocol, _) in found.items()}
    for complaint in catalogue_rules.complaints(together):
        if complaint.code not in found:
            continue
        protocol, lines = found[complaint.code]
        elsewhere = protocol.then is not None and protocol.then not in together
        if complaint.field == "then" and elsewhere and (known is None or protocol.then in broken):
            continue
        line = lines.get(complaint.field, lines.get(complaint.field.partition(".")[0], lines[""]))
        complaints.add(line, f"{complaint.field} of {complaint.code} {complaint.problem}")


def _entry(protocol: Protocol) -> str:
    """Return one protocol as an item of a YAML list."""
    since = f" from {protocol.effective_on}" if protocol.effective_on else ""
    labels = protocol.label.items()
    languages = ", ".join(f"{_scalar(name, '[{}]')}: {_scalar(words, '[{}]')}" for name, words in labels)
    days = ", ".join(f"{day}: {getattr(protocol, day)}" for day in _DAYS)
    fields = [
        ("name", _scalar(protocol.name)),
        ("label", f"{{{languages}}}"),
        ("class", str(protocol.class_name)),
        ("group", _scalar(protocol.group)),
        ("line", _scalar(protocol.line)),
        ("min_days", str(protocol.min_days) if protocol.min_days else ""),
        ("window", f"{{{days}}}"),
        ("steps", _written_steps(protocol.steps)),
        ("sessions", "" if protocol.sessions is None else str(protocol.sessions)),
        ("then", "" if protocol.then is None else _scalar(protocol.then)),
        ("active", "" if protocol.active else "false"),
        ("source", _scalar(protocol.source) if protocol.source else ""),
        ("verified", _scalar(protocol.verified) if protocol.verified else ""),
        ("version", f"{protocol.version} #{since}" if since else str(protocol.version)),
    ]
    lines = [f"  - code: {_scalar(protocol.code)}", *(f"    {key}: {text}" for key, text in fields if text)]
    return "\n".join(lines).replace(" \n", "\n") + "\n"


def _written_steps(steps: Sequence[Step]) -> str:
    written = [f"{{name: {_scalar(s.name, '[{}]')}, anchor: {s.anchor}, offset: {s.offset}}}" for s in steps]
    return "".join(f"\n      - {step}" for step in written) or "[]"


def _scalar(words: str, place: str = "- {}") -> str:
    """Return words as they may stand in YAML: bare where that reads back as the same text, else in double quotes.

    `place` is what they stand in; inside brackets more marks mean something.
    """
    try:
        node = yaml.compose(place.format(words), yaml.SafeLoader)
    except yaml.YAMLError:
        node = None
    if isinstance(node, yaml.SequenceNode) and len(node.value) == 1 and words.isprintable():
        only = node.value[0]
        bare = isinstance(only, yaml.ScalarNode) and only.style is None and only.tag.endswith(":str")
        if bare and only.value == words:
            return words
    return '"' + "".join(_escaped(mark) for mark in words) + '"'


def _escaped(mark: str) -> str:
    if mark in '"\\':
        return f"\\{mark}"
    return mark if mark.isprintable() else f"\\U{ord(mark):08x}"
