"""Checks what a person typed, one value at a time: text, addresses, times, days; says how to write it instead.

Invariant: nothing unprintable passes, and no complaint repeats a name or an address.
"""

import re
import unicodedata
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from reminders.domain.sending_hours import MINUTES_OF_A_DAY
from reminders.errors import BadInput
from reminders.mail.address import BadAddress, parse_address
from reminders.mail.languages import language_tag
from reminders.mail.words import LANGUAGES, written

JURISDICTIONS = ("us", "uk", "au", "eu")
LONGEST_TEXT = 500
TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TIME_OF_DAY = re.compile(r"[0-9]{1,2}:[0-9]{2}")
_LAST_MINUTE = 59
_LONGEST_SLUG = 63


class BadValue(BadInput):
    """{field}: {problem}."""


def text(field: str, value: str, *, lines: bool = False) -> str:
    """Return printable text without outer blanks; control characters and over-long text are a `BadValue`."""
    found = value.strip()
    if not found:
        raise BadValue(field=field, problem="it is empty")
    if len(found) > LONGEST_TEXT:
        raise BadValue(field=field, problem=f"it is longer than {LONGEST_TEXT} characters")
    for character in found:
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") and not (lines and character == "\n"):
            raise BadValue(field=field, problem="it holds a control character or a line break")
    return found


def shown_name(field: str, value: str) -> str:
    """Return a name that stands in every message of a clinic: also without marks that turn the text, or a link.

    One such name would hold all of the clinic's mail when it is sent; here it is one sentence.
    """
    found = text(field, value)
    if "=?" in found or "://" in found or any(letter in TURNS for letter in found):
        raise BadValue(field=field, problem="it holds a link, =?, or a mark that turns the direction of the text")
    return found


def address(field: str, value: str) -> str:
    """Return exactly one address; the error never repeats it."""
    try:
        return parse_address(value)
    except BadAddress as error:
        raise BadValue(field=field, problem=f"this is not one e-mail address ({error.facts['problem']})") from None


def web_address(field: str, value: str) -> str:
    """Return an https address that may stand in a message."""
    found = text(field, value)
    try:
        parts = urlsplit(found)
        usable = parts.scheme == "https" and parts.hostname and not parts.username and parts.port != 0
    except ValueError:  # a bracket or a port that is none
        usable = False
    if not usable or any(c in found for c in f' <>"{TURNS}'):
        raise BadValue(field=field, problem="give an address that begins with https://")
    return found


def minutes(field: str, value: str) -> int:
    """Return a time of day such as 09:00 (24:00 is the end of the day) in minutes."""
    hours, colon, rest = value.strip().partition(":")
    if not (colon and TIME_OF_DAY.fullmatch(f"{hours}:{rest}")):
        raise BadValue(field=field, problem="write a time of day as HH:MM")
    found = int(hours) * 60 + int(rest)
    if int(rest) > _LAST_MINUTE or found > MINUTES_OF_A_DAY:
        raise BadValue(field=field, problem="there is no such time of day")
    return found


def sending_hours(value: str) -> tuple[int, int]:
    """Return the opening and closing minute of hours such as 09:00-17:00."""
    first, dash, last = value.partition("-")
    if not dash:
        raise BadValue(field="--sending-hours", problem="write them as 09:00-17:00")
    opens, closes = minutes("--sending-hours", first), minutes("--sending-hours", last)
    if opens >= closes:
        raise BadValue(field="--sending-hours", problem="they must end after they begin, on the same day")
    return opens, closes


def sending_days(value: str) -> frozenset[int]:
    """Return the weekdays (Monday 0) of a list such as mon,tue,fri."""
    names = [name.strip().lower()[:3] for name in value.split(",") if name.strip()]
    if not names or any(name not in WEEKDAYS for name in names):
        raise BadValue(field="--sending-days", problem="name days of the week, such as mon,tue,wed,thu,fri")
    return frozenset(WEEKDAYS.index(name) for name in names)


def zone(value: str) -> str:
    """Return the name of a zone of the tz database."""
    if value not in available_timezones():
        raise BadValue(field="--timezone", problem="there is no such zone; write an IANA name such as Europe/London")
    return value


def language(value: str) -> str:
    """Return the tag of a language (BCP 47) that there is; mail need not be written in it."""
    found = language_tag(value)
    if found is None:
        raise BadValue(field="--language", problem="there is no such language; write a code such as en or pt-BR")
    return found


def language_of_mail(value: str) -> str:
    """Return the tag of a language in which mail is written."""
    found = language(value)
    if written(found) is None:
        raise BadValue(field="--language", problem=f"mail is not written in it; choose one of {', '.join(LANGUAGES)}")
    return found


def one_of(field: str, value: str, allowed: tuple[str, ...]) -> str:
    """Return `value`, which is one of `allowed`."""
    if value not in allowed:
        raise BadValue(field=field, problem=f"it is one of {', '.join(allowed)}")
    return value


def limit(value: object) -> int:
    """Return a daily limit, from 1 up."""
    found = int(str(value))
    if found < 1:
        raise BadValue(field="--daily-limit", problem="it is a number from 1 up")
    return found


def slug(value: str) -> str:
    """Return a clinic's slug: small letters, digits and dashes."""
    plain = value.isascii() and value.replace("-", "").isalnum() and value == value.lower()
    if not plain or len(value) > _LONGEST_SLUG:
        raise BadValue(field="SLUG", problem="use small letters, digits and dashes, at most 63")
    return value
