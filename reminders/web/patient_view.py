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
_LASTING = frozenset({AnswerKind.TREATED_ELSEWHERE, AnswerKind.REMIND_LATER, AnswerKind.WRONG_PERSON})
_OVER_ONCE_CLOSED = frozenset({AnswerKind.CONSULTATION_REQUESTED, AnswerKind.PHONE_ME, AnswerKind.BOOKED})
"""What the clinic promises on these ends once staff have dealt with them."""


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
class Stopped:
    """What is not written about any more; `everything` stopped, and whether the patient's own word is to be lifted."""

    said: Html
    everything: bool
    can_be_lifted: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """Whether a note and a number of the standing answer go on with the next one, unless it brings its own."""

    note: bool
    phone: bool


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
    """What the fields of each form open with: what stands, or what was typed and could not be taken."""

    forms: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, kind: str, name: str) -> str:
        """Return what a field of a form opens with; empty where it is nothing of its own."""
        return self.forms.get(kind, {}).get(name, "")


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


def stopped_of(page: PatientPage, speech: Speech) -> Stopped | None:
    """Return what is stopped of messages like this one, whatever else was answered."""
    if not page.stopped & {"all", page.class_name}:
        return None
    everything, on = "all" in page.stopped, page.stopped_on
    if on is None:
        return Stopped(speech("stopped_before"), everything, can_be_lifted=False)
    key = "done_stopped_all" if everything else "done_stopped"
    said = speech(key, on=_day(page, on), clinic=page.clinic_name)
    return Stopped(said, everything, can_be_lifted=True)


def is_stranger(page: PatientPage) -> bool:
    """Tell whether whoever reads this said that they are not the patient."""
    return page.answered is not None and page.answered.kind is AnswerKind.WRONG_PERSON


def kept_of(page: PatientPage) -> Kept:
    """Return what goes on with the next answer; staff read a note once, and what they closed is not asked again."""
    answered = page.answered
    if answered is None or answered.closed:
        return Kept(note=False, phone=False)
    return Kept(note=answered.has_note, phone=answered.has_phone)


def typing_of(page: PatientPage, form: TypedForm | None) -> Typing:
    """Return what the forms open with: whom the message names, what was answered, and a refused `form` as typed."""
    asked = {
        "practitioner": str(page.suggested) if page.suggested else TEAM,
        "contact_by": "phone" if page.phone_known else "email",  # who has given no number is not asked for one first
        "contact_when": "any",
    }
    forms: dict[str, Mapping[str, str]] = {AnswerKind.CONSULTATION_REQUESTED.value: asked}
    if page.answered is not None:
        stands = _fields_of(page.answered, page.today)
        forms[page.answered.kind.value] = {**forms.get(page.answered.kind.value, {}), **stands}
    if form is not None:
        forms[form.kind.value] = {**forms.get(form.kind.value, {}), **form.fields}
    return Typing(forms)


def _fields_of(answered: Answered, today: dt.date) -> dict[str, str]:
    """Return what an answer said, as the fields of its form; a booking that is past is not offered again."""
    day = answered.day if answered.kind is not AnswerKind.BOOKED or (answered.day or today) >= today else None
    said = {
        "contact_when": answered.contact_when,
        "contact_by": answered.contact_by,
        "day": day.isoformat() if day else None,
    }
    who = str(answered.practitioner_id) if answered.practitioner_id else TEAM
    return {"practitioner": who, **{name: value for name, value in said.items() if value}}


def practitioner_choices(page: PatientPage, speech: Speech) -> list[tuple[str, str]]:
    """Return whom one may ask for, the team first; nobody where there is nobody to choose from."""
    named = [(str(number), name) for number, name in page.practitioners]
    return [(TEAM, speech.plain("our_team_choice")), *named] if named else []


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
    problem = str(facts["problem"])
    chosen_freely = form.kind is AnswerKind.BOOKED  # any day may be typed there: none is offered
    key = {
        "too_long": "wrong_too_long",
        "control": "wrong_control",
        "not_offered": "wrong_day" if chosen_freely else "wrong_not_offered",
        "missing": "wrong_missing_phone" if shown == "phone" else "wrong_missing_day",
        "past": "wrong_past_day",
    }.get(problem, {"day": "wrong_day", "phone": "wrong_phone"}.get(shown, "wrong_unknown"))
    most = str(LONGEST_PHONE if shown == "phone" else LONGEST_NOTE)
    shown = shown if shown in FIELDS[form.kind] else ""
    return Mistake(form.kind.value, shown, speech.plain(key, most=most))


def _number(number: str) -> Html:
    """Return a number that is read from left to right in every language."""
    return Html(f'<bdi dir="ltr">{html.escape(number)}</bdi>')


def _dialled(number: str) -> Html:
    """Return one of our own emergency numbers as a link to be tapped."""
    return Html(f'<a href="tel:{number}">{_number(number)}</a>')


def _heard(page: PatientPage, answered: Answered, speech: Speech) -> Html:
    over = answered.closed and answered.kind in _OVER_ONCE_CLOSED
    return speech(f"{'was' if over else 'done'}_{answered.kind.value}", on=_day(page, answered.on))


def _details(page: PatientPage, answered: Answered, speech: Speech) -> list[Html]:
    """Return the particulars of an answer, as far as there are any."""
    found: list[Html] = []
    if answered.kind is AnswerKind.WRONG_PERSON:
        return found
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
