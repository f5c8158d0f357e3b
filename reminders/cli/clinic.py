"""The commands about clinics: enrol one, list them, change settings, pause and resume, keep places.

Invariant: only what was typed is changed; an empty text takes an optional setting away.
"""

import datetime as dt
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from reminders.cli import documents, words
from reminders.cli.options import (
    AsJson,
    SlugArgument,
    day,
    examples,
    given,
    number,
    number_or_nothing,
    refuse,
)
from reminders.cli.output import say, say_json, say_table
from reminders.cli.session import opened

if TYPE_CHECKING:
    from reminders.app import App
    from reminders.services.plan import PlanOutcome
    from reminders.store.clinics import Clinic, Practitioner


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
    "unknown_consent",
)
Name = Annotated[str, typer.Option("--name", metavar="TEXT", help="What patients know the clinic by.")]
Zone = Annotated[str, typer.Option("--timezone", metavar="ZONE", help="Such as Europe/London; all days are local.")]
Email = Annotated[str, typer.Option("--email", metavar="ADDRESS", help="Where the mail comes from.")]
SenderName = Annotated[str | None, typer.Option("--sender-name", metavar="TEXT", help="Shown as the sender.")]
ReplyTo = Annotated[str | None, typer.Option("--reply-to", metavar="ADDRESS", help="Where answers go.")]
Phone = Annotated[str | None, typer.Option("--phone", metavar="NUMBER", help="Shown to patients.")]
BookingUrl = Annotated[str | None, typer.Option("--booking-url", metavar="URL", help="Shown to patients; https.")]
Address = Annotated[str | None, typer.Option("--address", metavar="TEXT", help="The postal address, as it is shown.")]
Language = Annotated[str | None, typer.Option("--language", metavar="CODE", help="Such as en.")]
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
Staff = Annotated[
    list[str] | None, typer.Option("--practitioner", metavar="NAME", help="Somebody who treats there; repeat it.")
]


def register(shell: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Clinics: enrol, list, change, pause.", no_args_is_help=True, rich_markup_mode=None)
    shell.add_typer(group, name="clinic")
    group.command(
        "add",
        epilog=examples(
            'reminders clinic add north --name "North Clinic" \\',
            "    --timezone Europe/London --email hello@north.example",
            'reminders clinic add south --name "South Clinic" --timezone US/Pacific \\',
            "    --email hi@south.example --sending-days mon,wed,fri \\",
            '    --sending-hours 10:00-18:00 --practitioner "Dr Ada Bell"',
        ),
    )(add)
    group.command("list", epilog=examples("reminders clinic list", "reminders clinic list --json"))(list_clinics)
    group.command(
        "set",
        epilog=examples(
            'reminders clinic set north --phone "020 7946 0000"',
            'reminders clinic set north --practitioner "Dr Ada Bell" --left "Dr Bo Cole"',
            "reminders clinic set north --closed 2026-12-24 --closed 2026-12-25",
            'reminders clinic set north --daily-limit ""',
        ),
    )(change)
    group.command("pause", epilog=examples("reminders clinic pause north"))(pause)
    group.command("resume", epilog=examples("reminders clinic resume north"))(resume)
    group.command(
        "location",
        epilog=examples('reminders clinic location north --name "High Street" --phone "020 7946 0001"'),
    )(location)


def add(
    ctx: typer.Context,
    slug: SlugArgument,
    *,
    name: Name,
    timezone: Zone,
    email: Email,
    sender_name: SenderName = None,
    reply_to: ReplyTo = None,
    phone: Phone = None,
    booking_url: BookingUrl = None,
    address: Address = None,
    language: Language = None,
    jurisdiction: Rules = None,
    country: Country = None,
    region: Region = None,
    sending_days: Days = None,
    sending_hours: Hours = None,
    send_at: SendAt = None,
    daily_limit: Limit = None,
    unknown_consent: Unknown = None,
    practitioner: Staff = None,
    as_json: AsJson = False,
) -> None:
    """Enrol a clinic.

    It sends on weekdays from 09:00 to 17:00 unless you say otherwise, without a daily limit. SLUG is its short name in
    every other command: small letters, digits and dashes.
    """
    typed = given(locals(), SETTINGS)
    with opened(ctx) as app:
        added = app.add_clinic(slug, typed, practitioner or ())
        staff = _staff(app, slug)
    if as_json:
        say_json(documents.clinic(added, staff))
        return
    say(f"Clinic {slug} is enrolled; it sends {_calendar(added)} ({added.timezone}).")
    if not (added.phone or added.booking_url):
        say(f"Patients find neither a phone nor a booking link yet: `reminders clinic set {slug} --phone NUMBER`.")
    say(f"Next: `reminders patient add --clinic {slug}`, or `reminders import FILE --clinic {slug}`.")


def list_clinics(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the clinics with their calendars and practitioners."""
    with opened(ctx) as app:
        found = app.clinics()
    if as_json:
        say_json([documents.clinic(clinic, staff) for clinic, staff in found])
        return
    if not found:
        say("There is no clinic yet: `reminders clinic add` enrols one.")
        return
    say_table(
        ("clinic", "name", "zone", "sends", "practitioners", "state"),
        (
            (clinic.slug, clinic.name, clinic.timezone, _calendar(clinic), _names(staff), _pause(clinic))
            for clinic, staff in found
        ),
    )


def change(
    ctx: typer.Context,
    slug: SlugArgument,
    *,
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT")] = None,
    timezone: Annotated[str | None, typer.Option("--timezone", metavar="ZONE")] = None,
    email: Annotated[str | None, typer.Option("--email", metavar="ADDRESS")] = None,
    sender_name: SenderName = None,
    reply_to: ReplyTo = None,
    phone: Phone = None,
    booking_url: BookingUrl = None,
    address: Address = None,
    language: Language = None,
    jurisdiction: Rules = None,
    country: Country = None,
    region: Region = None,
    sending_days: Days = None,
    sending_hours: Hours = None,
    send_at: SendAt = None,
    daily_limit: LimitOrNone = None,
    unknown_consent: Unknown = None,
    practitioner: Staff = None,
    left: Annotated[
        list[str] | None, typer.Option("--left", metavar="NAME", help="Somebody who no longer treats there; repeat it.")
    ] = None,
    closed: Annotated[
        list[dt.date] | None, typer.Option("--closed", parser=day, metavar="DAY", help="Nothing goes out; repeat it.")
    ] = None,
    opened_again: Annotated[
        list[dt.date] | None, typer.Option("--open", parser=day, metavar="DAY", help="No longer closed; repeat it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change a clinic's settings, practitioners and closed days.

    What is not sent yet is planned again at once. An empty text takes an optional setting away.
    """
    typed = given(locals(), SETTINGS)
    if not (typed or practitioner or left or closed or opened_again):
        refuse("Nothing is to be changed: give at least one option")
    if set(closed or ()) & set(opened_again or ()):
        refuse("A day cannot be both --closed and --open")
    with opened(ctx) as app:
        changed, plan = app.change_clinic(slug, typed, practitioner or (), left or (), closed or (), opened_again or ())
        staff = _staff(app, slug)
    _say_changed(changed, plan, staff, f"Clinic {slug} is changed.", as_json=as_json)


def pause(ctx: typer.Context, slug: SlugArgument, as_json: AsJson = False) -> None:
    """Pause all sending of a clinic until it is resumed."""
    _set_paused(ctx, slug, paused=True, as_json=as_json)


def resume(ctx: typer.Context, slug: SlugArgument, as_json: AsJson = False) -> None:
    """Resume a paused clinic.

    What came due meanwhile goes out in its days; when that is a backlog it is held for you to release.
    """
    _set_paused(ctx, slug, paused=False, as_json=as_json)


def location(
    ctx: typer.Context,
    slug: SlugArgument,
    *,
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="What the place is called.")],
    address: Address = None,
    phone: Phone = None,
    booking_url: BookingUrl = None,
    as_json: AsJson = False,
) -> None:
    """Add or change a place of a clinic.

    Patients of that place see these instead of the clinic's own.
    """
    typed = given(locals(), ("address", "phone", "booking_url"))
    with opened(ctx) as app:
        found = app.add_location(slug, name, typed)
    if as_json:
        say_json({"clinic": found.slug, "location": name.strip(), **typed})
        return
    say(f"The place is recorded for clinic {found.slug}.")


def _set_paused(ctx: typer.Context, slug: str, *, paused: bool, as_json: bool) -> None:
    with opened(ctx) as app:
        changed, plan = app.pause_clinic(slug, paused=paused)
        staff = _staff(app, slug)
    sentence = (
        f"Clinic {slug} is paused: nothing goes out until `reminders clinic resume {slug}`."
        if paused
        else f"Clinic {slug} sends again, {_calendar(changed)} ({changed.timezone})."
    )
    _say_changed(changed, plan, staff, sentence, as_json=as_json)


def _say_changed(
    clinic: "Clinic", plan: "PlanOutcome", staff: "list[Practitioner]", sentence: str, *, as_json: bool
) -> None:
    if as_json:
        say_json({**documents.clinic(clinic, staff), "plan": documents.plan(plan)})
        return
    say(sentence)
    say(f"Reminders planned again: {words.plan(plan)}.")
    if plan.backlog_held:
        say(f"{words.count(plan.backlog_held, 'reminder')} held as a backlog: look with `reminders list --state held`.")


def _staff(app: "App", slug: str) -> "list[Practitioner]":
    return next(staff for clinic, staff in app.clinics() if clinic.slug == slug)


def _calendar(clinic: "Clinic") -> str:
    days = ",".join(documents.WEEKDAYS[number] for number in sorted(clinic.sending_days))
    return f"{days} {words.minutes(clinic.opens_at)}-{words.minutes(clinic.closes_at)}"


def _names(staff: "list[Practitioner]") -> str:
    return ", ".join(one.name if one.left_on is None else f"{one.name} (left {one.left_on})" for one in staff)


def _pause(clinic: "Clinic") -> str:
    return "sends" if clinic.paused_at is None else f"paused since {words.moment(clinic.paused_at, clinic.timezone)}"
