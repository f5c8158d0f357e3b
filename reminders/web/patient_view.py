"""Puts what a patient's page may show into sentences of its language.

Invariant: nothing but the first name tells who the patient is; no window, treatment or note is ever among it.
"""

import datetime as dt
import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from reminders.domain.answers import AnswerKind
from reminders.mail.message import Jurisdiction
from reminders.mail.wording import day_in_words, emergency_number, month_in_words, phone_link
from reminders.services.answering.answer import Answered, PatientPage, StopPage
from reminders.services.answering.reply import LONGEST_NOTE, LONGEST_PHONE
from reminders.web.forms import FIELDS, TEAM, TypedForm
from reminders.web.speech import Html, Speech

_FIELD_OF = {"practitioner_id": "practitioner"}
_LASTING = frozenset({AnswerKind.TREATED_ELSEWHERE, AnswerKind.REMIND_LATER, AnswerKind.STOPPED})


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach the clinic, and whom to call in an emergency."""

    call: Html
    phone_link: str
    booking_url: str
    emergency: Html


@dataclass(frozen=True, slots=True)
class Standing:
    """What was answered, in sentences; `seen_to` by staff, it can be taken back only where it still has an effect."""

    said: Html
    particulars: tuple[Html, ...]
    seen_to: bool
    can_be_taken_back: bool


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a form as it was typed: the kind of the form, its field, and the sentence."""

    kind: str = ""
    field: str = ""
    sentence: str = ""

    @property
    def place(self) -> str:
        """Return the id of the element to mend."""
        return f"{self.kind}-{self.field}" if self.field else self.kind


@dataclass(frozen=True, slots=True)
class Typing:
    """What was typed before, to be shown again; empty on a fresh page."""

    kind: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    def of(self, kind: str, name: str) -> str:
        """Return what was typed into a field of a form."""
        return self.fields.get(name, "") if kind == self.kind else ""


def contact_of(page: PatientPage | StopPage, speech: Speech) -> Contact:
    """Return how to reach a clinic."""
    number = emergency_number(_jurisdiction(page), page.country)
    booking = page.booking_url if isinstance(page, PatientPage) else None
    return Contact(
        call=speech("call", number=_number(page.phone)) if page.phone else Html(),
        phone_link=phone_link(page.phone),
        booking_url=booking if booking and booking.startswith(("https://", "http://")) else "",
        emergency=speech("emergency", number=_dialled(number)) if number else speech("emergency_local"),
    )


def standing_of(page: PatientPage, speech: Speech) -> Standing | None:
    """Return what was answered through this link and still stands."""
    answered = page.answered
    if answered is None:
        return None
    return Standing(
        said=_heard(page, answered, speech),
        particulars=tuple(_details(page, answered, speech)),
        seen_to=answered.closed,
        can_be_taken_back=not answered.closed or answered.kind in _LASTING,
    )


def is_stopped(page: PatientPage) -> bool:
    """Tell whether messages like this one are stopped, and the answer that stands does not say so itself."""
    says_so = page.answered is not None and page.answered.kind in (AnswerKind.STOPPED, AnswerKind.WRONG_PERSON)
    return bool(page.stopped & {"all", page.class_name}) and not says_so


def practitioner_choices(page: PatientPage, speech: Speech) -> list[tuple[str, str]]:
    """Return whom one may ask for, the team first; nobody where there is nobody to choose from."""
    named = [(str(number), name) for number, name in page.practitioners]
    return [(TEAM, speech.plain("our_team_first")), *named] if named else []


def later_choices(page: PatientPage) -> list[tuple[str, str]]:
    """Return the days on which the next message may be asked for, each with its words."""
    return [(day.isoformat(), _day(page, day)) for day in page.later_days]


def month_choices(page: PatientPage) -> list[tuple[str, str]]:
    """Return the months a treatment elsewhere may have been in, each with its words."""
    return [
        (month.isoformat(), month_in_words(month, page.language, _jurisdiction(page)))
        for month in page.elsewhere_months
    ]


def mistake(form: TypedForm, facts: Mapping[str, object], speech: Speech) -> Mistake:
    """Return the sentence for a field that was refused, by the refusal's `field` and `problem`."""
    name = str(facts["field"])
    shown = _FIELD_OF.get(name, name)
    problem = "missing_day" if (shown, facts["problem"]) == ("day", "missing") else str(facts["problem"])
    sentences = {
        "too_long": speech.plain("wrong_too_long", most=str(LONGEST_PHONE if shown == "phone" else LONGEST_NOTE)),
        "control": speech.plain("wrong_control"),
        "not_offered": speech.plain("wrong_not_offered"),
        "missing_day": speech.plain("wrong_missing_day"),
    }
    usual = speech.plain("wrong_day" if shown == "day" else "wrong_unknown")
    shown = shown if shown in FIELDS[form.kind] else ""
    return Mistake(form.kind.value, shown, sentences.get(problem, usual))


def _number(number: str) -> Html:
    """Return a number that is read from left to right in every language."""
    return Html(f'<bdi dir="ltr">{html.escape(number)}</bdi>')


def _dialled(number: str) -> Html:
    """Return one of our own emergency numbers as a link to be tapped."""
    return Html(f'<a href="tel:{number}">{_number(number)}</a>')


def _heard(page: PatientPage, answered: Answered, speech: Speech) -> Html:
    everything = answered.kind is AnswerKind.STOPPED and "all" in page.stopped
    key = f"done_{answered.kind.value}{'_all' if everything else ''}"
    return speech(key, on=_day(page, answered.on), clinic=page.clinic_name)


def _details(page: PatientPage, answered: Answered, speech: Speech) -> list[Html]:
    """Return the particulars of an answer, as far as there are any."""
    found = []
    if answered.kind is AnswerKind.CONSULTATION_REQUESTED:
        found.append(speech("detail_with", who=answered.practitioner or speech.plain("our_team")))
        if answered.contact_when:
            found.append(speech(f"detail_when_{answered.contact_when}"))
        if answered.contact_by:
            found.append(speech(f"detail_by_{answered.contact_by}"))
    if answered.day is not None:
        found.append(_about_the_day(page, answered, speech))
    if answered.has_phone:
        found.append(speech("detail_phone"))
    if answered.has_note:
        found.append(speech("detail_note"))
    return found


def _about_the_day(page: PatientPage, answered: Answered, speech: Speech) -> Html:
    day = answered.day or answered.on
    if answered.kind is AnswerKind.TREATED_ELSEWHERE:
        return speech("detail_month", month=month_in_words(day, page.language, _jurisdiction(page)))
    key = "detail_later" if answered.kind is AnswerKind.REMIND_LATER else "detail_day"
    return speech(key, day=_day(page, day))


def _day(page: PatientPage, day: dt.date) -> str:
    return day_in_words(day, page.language, _jurisdiction(page))


def _jurisdiction(page: PatientPage | StopPage) -> Jurisdiction | None:
    return cast("Jurisdiction | None", page.jurisdiction)
