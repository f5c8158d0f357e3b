"""What a template may show of a message's facts: printable strings, and the frame's sentences with them filled in.

Invariant: a value that is too long or holds a control character stops the message; in the HTML every value stands as
text, set apart from the sentence's direction; an empty string stands for "there is none".
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from reminders.errors import CannotDo
from reminders.mail import wording
from reminders.mail.address import mailto
from reminders.mail.message import MessageFacts, MessageLinks
from reminders.mail.words import direction, words

LONGEST_VALUE = 2_000
GLUE = "\x1f"  # stands for a blank at which no line may end; no value can hold it
APART, JOINED = "\x1d", "\x1e"  # begin and end a value that the HTML sets apart; no value can hold them
LONGEST_GLUED = 40
_LONGEST_UNBROKEN = 24  # characters of a number that fit on one line of the narrowest telephone
_BREAKING = {"Cc", "Cs", "Zl", "Zp"}
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # they could make a line read backwards
_NAMES = ("clinic", "sender", "name", "who", "Who", "postal_address")


class UnprintableValue(CannotDo):
    """The message cannot be written: {field} {problem}. Correct it, then plan again."""


def values_of(facts: MessageFacts, links: MessageLinks) -> dict[str, str]:
    """Return everything a template may show; raises `UnprintableValue`."""
    who = wording.who_sees_the_patient(facts)
    values = {
        "clinic": facts.clinic_name,
        "sender": facts.sender_name,
        "reply_to": facts.reply_to,
        "phone": facts.phone or "",
        "booking_url": facts.booking_url or "",
        "postal_address": wording.address_on_one_line(facts.postal_address),
        "name": facts.patient_name,
        "who": who,
        "Who": who[:1].upper() + who[1:],
        "label": facts.label,
        "request_url": links.request_url or "",
        "stop_url": links.stop_url or "",
    }
    values = {field: _printable(field, value) for field, value in values.items()}
    return values | {
        "name": values["name"] if values["name"].strip() else "",  # nobody is greeted as a wide blank
        "language": facts.language,
        "jurisdiction": facts.jurisdiction or "",
        "direction": direction(facts.language),
        "window": wording.window_in_words(facts),
        "opens": facts.opens.isoformat(),
        "closes": facts.closes.isoformat(),
        "emergency": wording.emergency_number(facts.jurisdiction, facts.country) or "",
        "phone_link": wording.phone_link(facts.phone),
        "reply_link": mailto(facts.reply_to),
        "stop_link": mailto(facts.reply_to, "STOP"),
        "medical": "yes" if facts.class_name == "medical" else "",
        "representative": "yes" if facts.recipient_is_representative else "",
    }


def in_text(values: Mapping[str, str], facts: MessageFacts) -> dict[str, str]:
    """Return the values with names, numbers and days glued, so that no line of the text ends inside one.

    Where the language is written from right to left, names and numbers are marked too: "+44 20" would read "20 44+".
    """
    glued = {field: values[field] for field in ("clinic", "name", "who", "Who", "phone")}
    glued = {field: value.replace(" ", GLUE) for field, value in glued.items() if len(value) <= LONGEST_GLUED}
    glued = {**values, **glued, "window": glued_window(facts)}
    return apart(glued, (*_NAMES, "phone")) if values["direction"] == "rtl" else glued


def glued_window(facts: MessageFacts) -> str:
    """Return the window in words with the blanks inside its days glued."""
    window = wording.window_in_words(facts)
    for day in (facts.opens, facts.closes):
        said = wording.day_in_words(day, facts.language, facts.jurisdiction)
        window = window.replace(said, said.replace(" ", GLUE))
    return window


def apart(values: Mapping[str, str], fields: Sequence[str] = _NAMES) -> dict[str, str]:
    """Return the values with names marked, so that they can be set apart from the sentence's direction."""
    return {field: f"{APART}{value}{JOINED}" if field in fields and value else value for field, value in values.items()}


def as_text(text: str) -> str:
    """Return words of the text part: blanks for glue, and what `apart` marked in the isolates of UAX #9."""
    return text.replace(GLUE, " ").replace(APART, "\u2068").replace(JOINED, "\u2069")


def as_html(text: str) -> Markup:
    """Return words as HTML: escaped, and what `apart` marked in an element that isolates its direction."""
    return set_apart(str(escape(text)))


def set_apart(html: str) -> Markup:
    """Return HTML, escaped or cleaned before, with what `apart` marked in an element that isolates its direction."""
    return Markup(html.replace(APART, "<bdi>").replace(JOINED, "</bdi>"))  # noqa: S704 - escaped or cleaned before


def said_in_text(values: Mapping[str, str]) -> dict[str, str]:
    """Return every sentence of the frame with the values filled in."""
    return {key: said.format_map(values) for key, said in words(wording.ROOM, values["language"]).items()}


def said_in_html(values: Mapping[str, str]) -> dict[str, Markup]:
    """Return every sentence of the frame as HTML: names isolated, numbers and addresses as links."""
    shown = {field: as_html(value) for field, value in apart(values).items()}
    shown["phone"] = _number(values, "number" if len(values["phone"]) <= _LONGEST_UNBROKEN else "link")
    shown["reply_to"] = _link(values["reply_link"], values["reply_to"], "link")
    large = {**shown, "phone": _number(values, "call")}  # the first way to reach the clinic, and the easiest
    said = {key: Markup(str(escape(text))) for key, text in words(wording.ROOM, values["language"]).items()}  # noqa: S704 - escaped here
    return {key: text.format_map(large if key == "phone_us" else shown) for key, text in said.items()}


def _number(values: Mapping[str, str], kind: str) -> Markup:
    """Return the phone number as a link, or as words set apart where it is more than a number."""
    if values["phone_link"]:
        return _link(values["phone_link"], values["phone"], kind)
    return Markup('<bdi class="{}">{}</bdi>').format(kind, values["phone"]) if values["phone"] else Markup()


def _link(address: str, shown: str, kind: str) -> Markup:
    return Markup('<a class="{}" href="{}"><bdi dir="ltr">{}</bdi></a>').format(kind, address, shown)


def _printable(field: str, value: str) -> str:
    """Return a value with its runs of blanks made single; letters of every script pass, line ends never."""
    if len(value) > LONGEST_VALUE:
        raise UnprintableValue(field=field, problem=f"is longer than {LONGEST_VALUE} characters")
    if any(mark in _TURNING or unicodedata.category(mark) in _BREAKING for mark in value):
        raise UnprintableValue(field=field, problem="holds a control character")
    return re.sub(" +", " ", value).strip(" ")
