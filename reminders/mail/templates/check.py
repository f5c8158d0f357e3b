"""Examines a template before it is kept: its form, its words in every branch, and the messages it makes.

Invariant: a template without an error here makes a message that passes the last look before the wire, for patients of
whom the records hold nothing, too much, other scripts, or HTML; every complaint is a sentence for whoever wrote it.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterator, Sequence

from reminders.errors import RemindersError
from reminders.mail import check
from reminders.mail.message import Jurisdiction, MessageClass, MessageFacts, MessageLinks, OwnTemplate, Stage
from reminders.mail.render import Renderer, TemplateBroken
from reminders.mail.render.sandbox import OwnWords, prepare
from reminders.mail.render.syntax import BODY_NAMES
from reminders.mail.render.values import values_of
from reminders.mail.templates import cleaning
from reminders.mail.templates import rules as template_rules
from reminders.mail.templates.file import Complaint, TemplateUnreadable, parse
from reminders.mail.templates.outline import raw_pieces, values
from reminders.mail.wording import ROOM
from reminders.mail.words import words

UNNUMBERED = 0
"""The id and version of a template that is not kept yet."""

MOST_COMPLAINTS = 100
"""Nobody mends more at a time."""

_LINKS = MessageLinks("https://reminders.example/p/" + "x" * 43, "https://reminders.example/u/" + "x" * 43)
_LONG = "Wolfeschlegelsteinhausen Bergerdorff " * 6


def check_template(
    source: str, shown: MessageFacts, renderer: Renderer | None = None, also: Sequence[Jurisdiction] = ()
) -> tuple[Complaint, ...]:
    """Return every complaint about a template, by line; `shown` is an ordinary message it would be used for.

    The clinic's details in `shown` are real where it is a clinic's, the patient is invented; `also` are jurisdictions
    whose word lists are asked besides the clinic's. An unproven source goes through `template_trial` instead, which
    calls this in a process of its own.
    """
    try:
        own = prepare(source)
    except TemplateUnreadable as unreadable:
        named = {(one.line, one.what.partition(":")[0]) for one in unreadable.complaints}
        raw = (one for one in _about_raw(source, shown, also) if (one.line, one.what) not in named)
        told = {*unreadable.complaints, *raw}
        return _in_order(told)
    found = set(_about_words(own, shown))
    for jurisdiction in also:
        found |= set(_about_terms(own, dataclasses.replace(shown, jurisdiction=jurisdiction)))
    if not any(complaint.severity == "error" for complaint in found):
        proposed = dataclasses.replace(shown, own=OwnTemplate(UNNUMBERED, UNNUMBERED, source))
        found |= set(_about_messages(proposed, renderer or Renderer()))
    return _in_order(found)


def _in_order(found: set[Complaint]) -> tuple[Complaint, ...]:
    ordered = sorted(found, key=lambda one: (one.line is None, one.line or 0, one.severity, one.what))
    wrong = [one for one in ordered if one.severity == "error"]
    return tuple(ordered if len(ordered) <= MOST_COMPLAINTS else (wrong or ordered)[:MOST_COMPLAINTS])


def example(
    class_name: MessageClass, stage: Stage, language: str, jurisdiction: Jurisdiction | None = None
) -> MessageFacts:
    """Return an ordinary message of an invented clinic, to examine a template with that is nobody's yet."""
    return MessageFacts(
        clinic_name="Harbour Clinic",
        sender_name="Harbour Clinic",
        sender_address="hello@harbour.example",
        reply_to="desk@harbour.example",
        phone="+44 20 7946 0018",
        booking_url="https://harbour.example/visit",
        postal_address="1 Quay Street, London N1 1AA",
        language=language,
        jurisdiction=jurisdiction,
        class_name=class_name,
        stage=stage,
        recipient="patient@home.example",
        recipient_is_representative=False,
        patient_name="Ada",
        practitioner="Dr Mary Stone",
        label=words(ROOM, language)[f"label_{class_name}"],
        opens=dt.date(2027, 3, 3),
        closes=dt.date(2027, 6, 3),
        window_is_open=False,
    )


def invented(shown: MessageFacts) -> tuple[MessageFacts, ...]:
    """Return messages to patients of whom much is missing or strange, and to an ordinary one."""

    def made(**changes: object) -> MessageFacts:
        return dataclasses.replace(shown, **changes)  # type: ignore[arg-type] # the fields below

    return (
        shown,
        made(patient_name="", practitioner=None, phone=None, booking_url=None, postal_address=None),
        made(patient_name=_LONG, practitioner=f"Dr {_LONG}", window_is_open=True),
        made(patient_name="عبد الرحمن", practitioner="د. ليلى حداد", recipient_is_representative=True),
        made(patient_name="<b onclick=\"go('x')\">Ann</b> & 'Co' &lt;", practitioner='"><script>x</script>'),
        made(patient_name="Zoë 👩🏽‍⚕️🌿", practitioner="Dr 李小龙 🦷", window_is_open=True),
    )


def _about_words(own: OwnWords, shown: MessageFacts) -> Iterator[Complaint]:
    filled = values_of(shown, MessageLinks())
    yield from _about_terms(own, shown)
    yield from template_rules.about_subject(own.subject_part.pieces, shown)
    yield from template_rules.about_text(own.text_part.pieces, shown, filled)
    if own.html_part is not None:
        html = own.html_part.pieces
        yield from template_rules.about_html(html, shown, filled)
        yield from template_rules.about_both(own.text_part.pieces, html, filled, own.parts.html_line or 1)


def _about_raw(source: str, shown: MessageFacts, also: Sequence[Jurisdiction]) -> Iterator[Complaint]:
    """Yield what can be said of a file whose tags cannot be read: its words and its HTML, all branches at once."""
    try:
        parts = parse(source)
    except TemplateUnreadable:
        return  # its letters or its parts are wrong, and every line of it would be guessed at
    html = raw_pieces(parts.html, parts.html_line or 1) if parts.html else ()
    pieces = (
        (raw_pieces(parts.subject, 1), "subject"),
        (raw_pieces(parts.text, parts.text_line), "text"),
        (html, "HTML"),
    )
    for jurisdiction in (shown.jurisdiction, *also):
        asked = dataclasses.replace(shown, jurisdiction=jurisdiction)
        for part, where in pieces:
            yield from template_rules.about_terms(part, where, asked)
    yield from cleaning.complaints(html)
    for part, _ in pieces:
        for one, _ in values(part):
            if one.name not in BODY_NAMES:
                yield Complaint(one.line, "error", f'there is no value "{one.name}"')


def _about_terms(own: OwnWords, shown: MessageFacts) -> Iterator[Complaint]:
    yield from template_rules.about_terms(own.subject_part.pieces, "subject", shown)
    yield from template_rules.about_terms(own.text_part.pieces, "text", shown)
    if own.html_part is not None:
        yield from template_rules.about_terms(own.html_part.pieces, "HTML", shown)


def _about_messages(shown: MessageFacts, renderer: Renderer) -> Iterator[Complaint]:
    """Yield what is wrong with the messages that the template makes: the same look as before the wire."""
    for patient in invented(shown):
        for links in (_LINKS, MessageLinks()):
            try:
                rendered = renderer.render(patient, links)
            except TemplateBroken as broken:
                yield Complaint(None, "error", str(broken.facts["problem"]))
                return
            except RemindersError as error:
                yield Complaint(None, "error", str(error))
                return
            for what in check.complaints(rendered, patient, links):
                yield Complaint(None, "error", what)
