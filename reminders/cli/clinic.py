"""The commands about clinics: enrol one, list them, change settings, pause and resume, keep places.

Invariant: only what was typed is changed; an empty text takes an optional setting away.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from reminders.cli import clinic_transport, documents, words
from reminders.cli.clinic_options import (
    SETTINGS,
    Address,
    BookingUrl,
    Closed,
    Colour,
    Country,
    Days,
    Email,
    Hours,
    Language,
    Left,
    Limit,
    LimitOrNone,
    LogoFile,
    Name,
    OpenAgain,
    Phone,
    Region,
    ReplyTo,
    Rules,
    SendAt,
    SenderName,
    Staff,
    Unknown,
    Zone,
)
from reminders.cli.options import (
    AsJson,
    SlugArgument,
    Span,
    examples,
    given,
    refuse,
)
from reminders.cli.output import say, say_json, say_notes, say_table
from reminders.cli.session import opened

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from reminders.services.plan import PlanOutcome
    from reminders.store.clinics import Clinic, Practitioner


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
            "reminders clinic set north --closed 2026-12-24..2027-01-02",
            'reminders clinic set north --daily-limit ""',
            "reminders clinic set north --colour '#2c6e68' --logo north.png",
        ),
    )(change)
    group.command("pause", epilog=examples("reminders clinic pause north"))(pause)
    group.command("resume", epilog=examples("reminders clinic resume north"))(resume)
    clinic_transport.register(group)
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
    colour: Colour = None,
    logo: LogoFile = None,
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
        staff, notes = app.practitioners(slug), app.clinic_notes(slug)
    if as_json:
        say_json({**documents.clinic(added, staff), "warnings": list(notes)})
        return
    say(f"Clinic {slug} is enrolled; it sends {_calendar(added)} ({added.timezone}).")
    if not (added.phone or added.booking_url):
        say(f"Patients find neither a phone nor a booking link yet: `reminders clinic set {slug} --phone NUMBER`.")
    say_notes(notes)
    say(f"Next: `reminders patient add --clinic {slug}`, or `reminders import FILE --clinic {slug}`.")


def list_clinics(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the clinics with their calendars and practitioners."""
    with opened(ctx) as app:
        found, logos, zones, own = app.clinics(), app.clinics_with_logo(), app.zones(), app.clinic_transports()
    if as_json:
        more = [{"logo": one.slug in logos, "transport": clinic_transport.name(one, own)} for one, _ in found]
        say_json([documents.clinic(*pair) | extra for pair, extra in zip(found, more, strict=True)])
        return
    if not found:
        say("There is no clinic yet: `reminders clinic add` enrols one.")
        return
    heads: tuple[str, ...] = ("clinic", "name", "zone", "sends", "practitioners", "state")
    rows: list[tuple[str, ...]] = [
        (clinic.slug, clinic.name, clinic.timezone, _calendar(clinic), _names(staff), _pause(clinic, zones))
        for clinic, staff in found
    ]
    if own:
        rows = [(*row, clinic_transport.name(one, own) or "shared") for row, (one, _) in zip(rows, found, strict=True)]
        heads = (*heads, "mail by")
    say_table(heads, rows)


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
    colour: Colour = None,
    logo: LogoFile = None,
    no_logo: Annotated[bool, typer.Option("--no-logo", help="Show the clinic's name instead of a logo.")] = False,
    practitioner: Staff = None,
    left: Left = None,
    closed: Closed = None,
    opened_again: OpenAgain = None,
    as_json: AsJson = False,
) -> None:
    """Change a clinic's settings, practitioners and closed days.

    What is not sent yet is planned again at once. An empty text takes an optional setting away.
    """
    if no_logo and logo is not None:
        refuse("A clinic cannot both have --logo and --no-logo")
    typed = given(locals(), SETTINGS) | ({"logo": ""} if no_logo else {})
    if not (typed or practitioner or left or closed or opened_again):
        refuse("Nothing is to be changed: give at least one option")
    shut, reopened = _days(closed), _days(opened_again)
    if set(shut) & set(reopened):
        refuse("A day cannot be both --closed and --open")
    with opened(ctx) as app:
        changed, plan = app.change_clinic(slug, typed, practitioner or (), left or (), shut, reopened)
        staff, notes = app.practitioners(slug), app.clinic_notes(slug)
    _say_changed(changed, plan, staff, f"Clinic {slug} is changed.", notes, as_json=as_json)


def _days(spans: list[Span] | None) -> "list[dt.date]":
    return [day for one in spans or () for day in one.days()]


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
        staff = app.practitioners(slug)
    sentence = (
        f"Clinic {slug} is paused: nothing goes out until `reminders clinic resume {slug}`."
        if paused
        else f"Clinic {slug} sends again, {_calendar(changed)} ({changed.timezone})."
    )
    _say_changed(changed, plan, staff, sentence, as_json=as_json)


def _say_changed(
    clinic: "Clinic",
    plan: "PlanOutcome",
    staff: "list[Practitioner]",
    sentence: str,
    notes: tuple[str, ...] = (),
    *,
    as_json: bool,
) -> None:
    if as_json:
        say_json({**documents.clinic(clinic, staff), "plan": documents.plan(plan), "warnings": list(notes)})
        return
    say(sentence)
    say_notes(notes)
    if plan.changes:
        say(f"Reminders planned again: {words.plan(plan)}.")
    if plan.backlog_held:
        say(f"{words.count(plan.backlog_held, 'reminder')} held as a backlog: look with `reminders list --state held`.")


def _calendar(clinic: "Clinic") -> str:
    days = ",".join(documents.WEEKDAYS[number] for number in sorted(clinic.sending_days))
    return f"{days} {words.minutes(clinic.opens_at)}-{words.minutes(clinic.closes_at)}"


def _names(staff: "list[Practitioner]") -> str:
    return ", ".join(one.name if one.left_on is None else f"{one.name} (left {one.left_on})" for one in staff)


def _pause(clinic: "Clinic", zones: "Mapping[str, str]") -> str:
    if clinic.slug not in zones:
        return "its zone cannot be read, see `reminders doctor`"
    return "sends" if clinic.paused_at is None else f"paused since {words.moment(clinic.paused_at, clinic.timezone)}"
