"""Makes the mail that tells a clinic how many patients answered: plain text, to the clinic itself.

Invariant: it names no patient, no treatment and no day, only how many answers there are of which kind and where to
read them; so that a mailbox of several people, or one that was broken into, tells nothing.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import format_datetime

from reminders.mail import headers
from reminders.mail.compose import text_part
from reminders.mail.words import words

ROOM = "notices"
URGENT = "phone_me"


@dataclass(frozen=True, slots=True)
class Notice:
    """What a notice says: the clinic's sender and recipient, and how many answers of each kind (its word) there are."""

    clinic_name: str
    sender_name: str
    sender_address: str
    recipient: str
    language: str
    counts: Mapping[str, int]
    command: str


def write_notice(notice: Notice, order: Sequence[str], message_id: str, date: dt.datetime) -> bytes:
    """Return the bytes of a notice with its kinds in this order; `date` is an aware moment. Raises `HeaderRefused`."""
    said = words(ROOM, notice.language)
    urgent = bool(notice.counts.get(URGENT))
    lines = [said[kind].format(count=notice.counts[kind]) for kind in order if notice.counts.get(kind)]
    paragraphs = (
        said["opening"].format(clinic=notice.clinic_name),
        "\n".join(f"- {line}" for line in lines),
        f"{said['where']}\n  {notice.command}",
        said["closing"],
    )
    head = (
        headers.mailbox("From", notice.sender_name, notice.sender_address),
        headers.mailbox("To", "", notice.recipient),
        headers.unstructured("Subject", said["subject_urgent" if urgent else "subject"]),
        headers.plain("Date", format_datetime(date.astimezone(dt.UTC))),
        headers.identifier("Message-ID", message_id),
        headers.plain("Auto-Submitted", "auto-generated"),  # RFC 3834: automatic replies stay silent
        headers.plain("X-Auto-Response-Suppress", "All"),
        headers.plain("Content-Language", notice.language),
        headers.plain("MIME-Version", "1.0"),
    )
    return b"".join(head) + text_part("plain", "\n\n".join(paragraphs) + "\n")
