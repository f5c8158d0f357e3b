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
_BLANK_LETTERS = "\u115f\u1160\u3164\uffa0"
_FULL_STOPS = str.maketrans("\u3002\uff61\u2024\u06d4", "....")
_MAILBOX = re.compile(r"[^\s@]@[^\s@]|\bwww\.", re.IGNORECASE)
_DOMAIN = re.compile(r"(?<![\w-])(?=([\w-]+(?:\.[^\W\d_]{2,})+(?![\w-])))")
_TITLES = frozenset(
    {
        *(
            "av",
            "bd",
            "dipl",
            "dipl.psych",
            "dott",
            "dr",
            "dr.med",
            "dra",
            "fr",
            "frau",
            "hr",
            "herr",
            "ing",
            "lic",
            "mag",
        ),
        *("med", "mgr", "miss", "mlle", "mme", "mr", "mrs", "ms", "no", "nr", "pr", "prof", "prof.dr", "prof.dr.med"),
        *("sra", "sr", "st", "ste", "str", "ul"),
    }
)
"""What a name is written behind without a blank, as it is behind an initial: Dr.Weber, J.Smith."""

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
    """Return a name or a number of a clinic, its sender or its people, which stands in every message.

    None that turns the text, that nobody can see, or in which another address stands: a patient would write or go
    there, and one such name would hold all of the clinic's mail when it is sent.
    """
    found = _seen(field, text(field, value))
    if "=?" in found or _reads_as_an_address(found):
        problem = "it holds what reads as an e-mail or web address: leave it out, or write a blank after a full stop"
        raise BadValue(field=field, problem=problem)
    return found


def postal_address(field: str, value: str) -> str:
    """Return a clinic's postal address, in lines, that can be seen and reads in one direction."""
    return _seen(field, text(field, value, lines=True))


def _seen(field: str, found: str) -> str:
    if any(letter in TURNS for letter in found):
        raise BadValue(field=field, problem="it holds a mark that turns the direction of the text: type it anew")
    if not any(unicodedata.category(letter)[0] in "LN" and letter not in _BLANK_LETTERS for letter in found):
        raise BadValue(field=field, problem="it holds no letter and no digit that can be seen")
    return found


def _reads_as_an_address(value: str) -> bool:
    """Tell whether an address stands in a text, whatever marks nobody sees are strewn in, and full stops look like."""
    plain = "".join(mark for mark in unicodedata.normalize("NFKC", value) if unicodedata.category(mark) != "Cf")
    plain = plain.translate(_FULL_STOPS)
    if "://" in plain or _MAILBOX.search(plain):
        return True
    parts = (found.rpartition(".") for found in _DOMAIN.findall(plain))
    return any(
        label.casefold() not in _TITLES and not (len(label) == 1 and last[0].isupper()) for label, _, last in parts
    )


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
