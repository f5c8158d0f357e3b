"""The words of the product's own frame that follow from the facts: days, the window, numbers to call.

Invariant: a message is wholly in one language (today English, whatever the patient's), and no sentence offers a day
before the window opens.
"""

import datetime as dt

from reminders.mail.message import Jurisdiction, MessageFacts

LANGUAGE = "en"
OUR_TEAM = "our team"
CONSULTATION_HEADING = "Your consultation"
"""Opens the consultation section in both parts; the check recognises the section by it."""

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_EMERGENCY_NUMBERS: dict[Jurisdiction, str] = {"us": "911", "uk": "999", "au": "000", "eu": "112"}
_NO_NUMBER = "your local emergency number"
_LONGEST_NUMBER = 15  # digits, ITU-T E.164


def day_in_words(day: dt.date, jurisdiction: Jurisdiction | None) -> str:
    """Return a day as its readers write it: "March 3, 2027" in the United States, "3 March 2027" elsewhere.

    Written out here because `strftime` follows the machine's locale.
    """
    month = _MONTHS[day.month - 1]
    return f"{month} {day.day}, {day.year}" if jurisdiction == "us" else f"{day.day} {month} {day.year}"


def window_in_words(facts: MessageFacts) -> str:
    """Return the sentences that say when a consultation makes sense; the medical ones name no closing day."""
    opens = day_in_words(facts.opens, facts.jurisdiction)
    closes = day_in_words(facts.closes, facts.jurisdiction)
    if facts.class_name == "medical":
        return f"Your clinician sets the timing. It can be from {opens}."
    if facts.window_is_open:
        return f"The time for it is open now: it began on {opens} and runs until {closes}."
    return f"The earliest day is {opens}, and the time for it runs until {closes}."


def who_sees_the_patient(facts: MessageFacts) -> str:
    """Return the practitioner the patient is pointed to, or "our team"."""
    return facts.practitioner or OUR_TEAM


def address_on_one_line(postal_address: str | None) -> str:
    """Return a postal address with its lines joined by commas; empty where there is none."""
    lines = (line.strip(" \t,") for line in (postal_address or "").replace("\r\n", "\n").split("\n"))
    return ", ".join(line for line in lines if line)


def emergency_number(jurisdiction: Jurisdiction | None) -> str:
    """Return what to call in an emergency, ready to stand after "call"."""
    return _EMERGENCY_NUMBERS.get(jurisdiction, _NO_NUMBER) if jurisdiction else _NO_NUMBER


def phone_link(phone: str | None) -> str:
    """Return the `tel:` link of a phone number (RFC 3966), or nothing where it holds more than a number."""
    digits = "".join(mark for mark in phone or "" if mark not in " ().-/\u00a0")
    number = digits.removeprefix("+")
    dialable = number.isascii() and number.isdigit() and len(number) <= _LONGEST_NUMBER
    return f"tel:{digits}" if dialable else ""
