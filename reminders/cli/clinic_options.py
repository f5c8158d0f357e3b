"""What may be said of a clinic on the command line: the options that `clinic add` and `clinic set` share.

Invariant: an option's name is the column it sets, with dashes for underscores.
"""

from enum import StrEnum
from typing import Annotated

import typer

from reminders.cli.options import Span, number, number_or_nothing, span


class Jurisdiction(StrEnum):
    """Whose advertising rules the wording is checked against."""

    US = "us"
    UK = "uk"
    AU = "au"
    EU = "eu"


class UnknownConsent(StrEnum):
    """How the clinic reads a consent that was never asked for."""

    EXISTING_CUSTOMER = "existing_customer"
    NO = "no"


SETTINGS = (
    *("name", "timezone", "email", "sender_name", "reply_to", "phone", "booking_url", "address", "language"),
    *("jurisdiction", "country", "region", "sending_days", "sending_hours", "send_at", "daily_limit"),
    *("unknown_consent", "colour", "logo"),
)
Name = Annotated[str, typer.Option("--name", metavar="TEXT", help="What patients know the clinic by.")]
Zone = Annotated[str, typer.Option("--timezone", metavar="ZONE", help="Such as Europe/London; all days are local.")]
Email = Annotated[str, typer.Option("--email", metavar="ADDRESS", help="Where the mail comes from.")]
SenderName = Annotated[str | None, typer.Option("--sender-name", metavar="TEXT", help="Shown as the sender.")]
ReplyTo = Annotated[str | None, typer.Option("--reply-to", metavar="ADDRESS", help="Where answers go.")]
Phone = Annotated[str | None, typer.Option("--phone", metavar="NUMBER", help="Shown to patients.")]
BookingUrl = Annotated[str | None, typer.Option("--booking-url", metavar="URL", help="Shown to patients; https.")]
Address = Annotated[str | None, typer.Option("--address", metavar="TEXT", help="The postal address, as it is shown.")]
Language = Annotated[
    str | None, typer.Option("--language", metavar="CODE", help="Of messages: en, es, fr, de, pl, pt or ar.")
]
Rules = Annotated[Jurisdiction | None, typer.Option("--jurisdiction", help="Whose advertising rules hold.")]
Country = Annotated[
    str | None, typer.Option("--country", metavar="CODE", help="Its public holidays are closed days, such as GB.")
]
Region = Annotated[str | None, typer.Option("--region", metavar="CODE", help="Its own holidays too, such as ENG.")]
Days = Annotated[str | None, typer.Option("--sending-days", metavar="DAYS", help="Such as mon,tue,wed.")]
Hours = Annotated[str | None, typer.Option("--sending-hours", metavar="HOURS", help="Such as 09:00-17:00.")]
SendAt = Annotated[str | None, typer.Option("--send-at", metavar="TIME", help="The usual time of day, such as 10:00.")]
Limit = Annotated[
    int | None, typer.Option("--daily-limit", parser=number, metavar="N", help="At most so many messages a day.")
]
LimitOrNone = Annotated[
    str | None, typer.Option("--daily-limit", parser=number_or_nothing, metavar="N", help='Messages a day; "" for any.')
]
Unknown = Annotated[UnknownConsent | None, typer.Option("--unknown-consent", help="How an unknown consent is read.")]
Colour = Annotated[
    str | None, typer.Option("--colour", metavar="COLOUR", help="Of buttons and headings in mails, such as #2c6e68.")
]
LogoFile = Annotated[
    str | None, typer.Option("--logo", metavar="FILE", help="A PNG, JPEG, GIF or WebP picture for the head of mails.")
]
Staff = Annotated[
    list[str] | None, typer.Option("--practitioner", metavar="NAME", help="Somebody who treats there; repeat it.")
]
Left = Annotated[
    list[str] | None, typer.Option("--left", metavar="NAME", help="Somebody who no longer treats there; repeat it.")
]
Closed = Annotated[
    list[Span] | None,
    typer.Option("--closed", parser=span, metavar="DAY", help="Nothing goes out; or FIRST..LAST. Repeat it."),
]
OpenAgain = Annotated[
    list[Span] | None,
    typer.Option("--open", parser=span, metavar="DAY", help="No longer closed; or FIRST..LAST. Repeat it."),
]
