"""Reads what a browser or a mail provider posts, and makes a patient's reply of it.

Invariant: a form is at most 16 KB, a field stands in it once, and only the fields of its kind are looked at.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from litestar import Request
from litestar.datastructures import State

from reminders.domain.answers import AnswerKind
from reminders.errors import BadInput
from reminders.services.answering.answer import Reply, ReplyRefused

LARGEST_BODY = 16 * 1024
MOST_FIELDS = 30
TAKE_BACK, WRITE_AGAIN = "take_back", "write_again"
"""The buttons that undo: the last answer, and a stop."""

TEAM = "team"
"""The page's own first choice of whom to see."""

ONE_CLICK = ("List-Unsubscribe", "One-Click")
"""The field that RFC 8058 (3.2) prescribes, letter by letter."""

_URLENCODED = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_DIGITS_OF_AN_ID = 18
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")  # what a date field sends; Python would read 2026-W14-3 as well
_WAYS = frozenset({"phone", "email"})
_TIMES = frozenset({"any", "morning", "afternoon", "evening"})

FIELDS: Mapping[AnswerKind, tuple[str, ...]] = {
    AnswerKind.CONSULTATION_REQUESTED: ("practitioner", "contact_when", "contact_by", "phone", "note"),
    AnswerKind.PHONE_ME: ("phone", "note"),
    AnswerKind.BOOKED: ("day",),
    AnswerKind.TREATED_ELSEWHERE: ("day",),
    AnswerKind.REMIND_LATER: ("day",),
    AnswerKind.STOPPED: ("everything",),
    AnswerKind.WRONG_PERSON: (),
}
"""The fields of each form of the patient's page; what is posted beside them is not looked at."""


class UnreadableForm(BadInput):
    """The form cannot be read ({problem}). Go back to the page and send it again."""


@dataclass(frozen=True, slots=True)
class TypedForm:
    """One form as it was typed: its kind, and its fields as texts."""

    kind: AnswerKind
    fields: Mapping[str, str]


async def posted(request: Request[None, None, State], *, multipart: bool = False) -> dict[str, str]:
    """Return the fields of a posted form; `multipart` also takes that type. Raises `UnreadableForm`."""
    content_type, _ = request.content_type
    if content_type == _URLENCODED:
        return _once(_pairs(await request.body()))
    if multipart and content_type == _MULTIPART:
        form = await request.form()
        return _once([(name, value) for name, value in form.multi_items() if isinstance(value, str)])
    raise UnreadableForm(problem="it is no form")


def typed_form(fields: Mapping[str, str]) -> TypedForm:
    """Return the form of the patient's page that was sent; raises `UnreadableForm` when it is none of them."""
    kind = next((kind for kind in FIELDS if kind.value == fields.get("kind")), None)
    if kind is None:
        raise UnreadableForm(problem="it is none of this page")
    return TypedForm(kind, {name: fields[name] for name in FIELDS[kind] if name in fields})


def reply_of(form: TypedForm) -> Reply:
    """Return what a form says; raises `ReplyRefused` naming the field that says nothing we know."""
    fields = form.fields
    return Reply(
        kind=form.kind,
        practitioner_id=_practitioner(fields.get("practitioner", "")),
        contact_by=_one_of("contact_by", fields, _WAYS),
        contact_when=_one_of("contact_when", fields, _TIMES),
        note=fields.get("note", ""),
        phone=fields.get("phone", ""),
        day=_day(form),
        everything=fields.get("everything") == "yes",
    )


def _pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        text = body.decode()
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise UnreadableForm(problem="it holds too much, or is no text") from None


def _once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Return the fields, each given once: of two values, a proxy and the product might each believe another."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnreadableForm(problem="a field stands in it twice")
    return found


def _practitioner(typed: str) -> int | None:
    if typed in ("", TEAM):
        return None
    if not (typed.isascii() and typed.isdigit() and len(typed) <= _DIGITS_OF_AN_ID):
        raise ReplyRefused(field="practitioner_id", problem="unknown")
    return int(typed)


def _one_of(name: str, fields: Mapping[str, str], known: frozenset[str]) -> str | None:
    typed = fields.get(name, "")
    if typed and typed not in known:
        raise ReplyRefused(field=name, problem="unknown")
    return typed or None


def _day(form: TypedForm) -> dt.date | None:
    typed = form.fields.get("day", "").strip()
    if typed:
        try:
            return dt.date.fromisoformat(typed if _DAY.fullmatch(typed) else "")
        except ValueError:
            raise ReplyRefused(field="day", problem="unknown") from None
    if form.kind in (AnswerKind.TREATED_ELSEWHERE, AnswerKind.REMIND_LATER):
        raise ReplyRefused(field="day", problem="missing")
    return None
