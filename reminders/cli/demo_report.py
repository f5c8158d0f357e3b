"""Tells how the sample clinic stands: in numbers, what was sent, why the rest was not, one message, what to try next.

Invariant: everything told is read back from the product, as any command would read it.
"""

import datetime as dt
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from reminders.app import App
from reminders.cli import words
from reminders.cli.demo_acts import Counts
from reminders.cli.output import say, say_table
from reminders.domain.lifecycle import Reason, State
from reminders.domain.sending_hours import is_open, local_day
from reminders.mail.compose import Parts, parts
from reminders.services.calendar import sending_calendar
from reminders.services.explain import WHY
from reminders.services.overview import Filter, ReminderView
from reminders.services.sample.script import HARBOUR, WILLOW

LATELY = dt.timedelta(days=7)
MOST_SENT = 10
_WITHOUT_REASON = {
    State.PLANNED: "its day is still to come.",
    State.BOUNCED: "it was sent and came back; the address is not written to again.",
    State.UNKNOWN: "no answer came: it may have been accepted, so it is never sent again by itself.",
}
_IN_GENERAL = {
    "id": "ID",
    "ended": "a later day",
    "last": "the last of them",
    "fault": "`reminders list` shows how",
}
_ORDER = {kind: number for number, kind in enumerate((*State, *Reason))}


@dataclass(frozen=True, slots=True)
class Scene:
    """What the report is about: the open product, what was entered, where everything lies, and whom to show."""

    app: App
    counts: Counts
    program: str
    config: Path
    inbox: Path
    shown: str
    now: dt.datetime

    def command(self, line: str) -> str:
        """Return a command as it can be typed in here."""
        return f"{self.program} --config {shlex.quote(str(self.config))} {line}"


def report(scene: Scene) -> None:
    """Tell everything, in the order in which a newcomer asks."""
    with scene.app.list(Filter()) as found:
        reminders = list(found)
    clinics = {clinic.slug: clinic for clinic, _ in scene.app.clinics()}
    zones = {slug: clinic.timezone for slug, clinic in clinics.items()}
    _numbers(scene, reminders)
    _sent(reminders, zones, scene.now)
    _why_not(reminders)
    _message(scene, reminders)
    _next(scene, reminders)


def _numbers(scene: Scene, reminders: Sequence[ReminderView]) -> None:
    clinics = scene.app.clinics()
    practitioners = [one for _, people in clinics for one in people]
    left = sum(one.left_on is not None for one in practitioners)
    names = {clinic.slug: clinic.name for clinic, _ in clinics}
    states = Counter(view.state for view in reminders)
    say(f"{names[WILLOW]}, two months into using the product, and its new branch {names[HARBOUR]}: all invented.")
    say()
    received = sum(1 for _ in scene.inbox.glob("*.eml"))
    facts = (
        ("patients", scene.counts.patients),
        ("treatments in two years", scene.counts.treatments),
        ("practitioners", f"{len(practitioners)}, of whom {left} has left"),
        ("protocols in use", len({view.protocol for view in reminders})),
        (
            "reminders",
            f"{len(reminders)}: " + ", ".join(f"{states[state]} {state}" for state in State if states[state]),
        ),
        ("messages in the inbox", f"{received}, received over a real SMTP connection"),
    )
    say_table(("In numbers", ""), facts)


def _sent(reminders: Sequence[ReminderView], zones: dict[str, str], now: dt.datetime) -> None:
    sent = sorted(((view.sent_at, view) for view in reminders if view.sent_at), key=lambda pair: pair[0])
    lately = [(at, view) for at, view in sent if at > now - LATELY]
    say()
    say(f"Sent in the last week: {words.count(len(lately), 'reminder')}" + _newest(len(lately)))
    say()
    rows = (
        (
            _when(at, zones[view.clinic]),
            view.patient,
            view.protocol,
            view.step.replace("_", " "),
            _day(view.window.opens),
            _day(view.window.closes),
        )
        for at, view in lately[-MOST_SENT:]
    )
    say_table(("Sent", "Patient", "Protocol", "Step", "Opens", "Closes"), rows)


def _when(moment: dt.datetime, zone: str) -> str:
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local:%a} {local.day} {local:%b} at {local:%H:%M}"


def _day(day: dt.date) -> str:
    return f"{day.day} {day:%b %Y}"


def _newest(count: int) -> str:
    return f"; the newest {MOST_SENT}:" if count > MOST_SENT else "."


def _why_not(reminders: Sequence[ReminderView]) -> None:
    """Count everything that was not sent by its state and reason, each with its sentence."""
    counted = Counter((view.state, view.reason) for view in reminders if view.state is not State.SENT)
    say()
    say("Why the rest was not sent:")
    say()
    rows = []
    for (state, reason), count in sorted(counted.items(), key=lambda one: _place(*one[0])):
        sentence = WHY[reason].format(**_IN_GENERAL) if reason else _WITHOUT_REASON.get(state, "")
        rows.append((str(state), str(reason or "").replace("_", " "), count, sentence))
    say_table(("State", "Reason", "Number", "Which means"), rows)
    say()
    say("Two states are missing, since none rests in them: claimed and handed over, while a message is on its way.")


def _place(state: State, reason: Reason | None) -> tuple[int, int]:
    return _ORDER[state], _ORDER[reason] if reason else -1


def _message(scene: Scene, reminders: Sequence[ReminderView]) -> None:
    """Show the last message to the patient of the story as they read it; else the last one that came in."""
    sent = [view for view in reminders if view.patient == scene.shown and view.message_id]
    path = _file_of(sent[-1].message_id, scene.inbox) if sent else None
    files = sorted(scene.inbox.glob("*.eml"))
    path = path or (files[-1] if files else None)
    if path is None:
        return
    say()
    say(f"One of them, {path}, as its reader sees it:")
    say()
    for line in _framed(parts(path.read_bytes())):
        say(line)


def _file_of(message_id: str | None, inbox: Path) -> Path | None:
    wanted = f"Message-ID: {message_id}".encode()
    return next((path for path in sorted(inbox.glob("*.eml"), reverse=True) if wanted in path.read_bytes()), None)


def _framed(message: Parts) -> Iterator[str]:
    """Yield a message behind a bar; no right-hand bar, which would not hold beside letters of every width."""
    yield "  ┌─"
    for name, value in message.headers:
        if name in ("From", "To", "Subject", "Date"):
            yield f"  │ {name}: {value}"
    yield "  │"
    yield from (f"  │ {line}".rstrip() for line in message.text.rstrip("\n").split("\n"))
    yield "  └─"


def _next(scene: Scene, reminders: Sequence[ReminderView]) -> None:
    held = sum(view.state is State.HELD and view.clinic == HARBOUR for view in reminders)
    to_come = [v for v in reminders if v.state is State.PLANNED and v.clinic == WILLOW and v.due_at > scene.now]
    first = min(to_come, key=lambda view: view.due_at).patient if to_come else scene.shown
    clinic = next(clinic for clinic, _ in scene.app.clinics() if clinic.slug == WILLOW)
    today = local_day(clinic.timezone, scene.now)
    commands = (
        ("why each message went, or will go, or did not", f"why --clinic {WILLOW} --patient {scene.shown}"),
        ("the next message as it would go out", f"preview --clinic {WILLOW} --patient {first}"),
        ("what patients asked for on their pages", f"requests list --clinic {WILLOW}"),
        ("what waits for a person", f"list --clinic {WILLOW} --state held"),
        (
            "the patient came: log it, and see the plan start anew",
            f"treatment add --clinic {WILLOW} --patient {scene.shown} --protocol botulinum-cosmetic --on {today}",
        ),
        (f"the new branch held {held} overdue reminders back: let it send", f"clinic resume {HARBOUR}"),
        ("and let them go", f"release --clinic {HARBOUR} --all"),
        ("send what is due", "deliver"),
        ("verify every promise on this database", "audit"),
    )
    say()
    say("Try next:")
    for what, line in commands:
        say()
        say(f"  # {what}")
        say(f"  {scene.command(line)}")
    if not is_open(sending_calendar(clinic, scene.now), scene.now):
        say()
        say(f"{clinic.name} is closed at this hour and sends nothing; the branch sends at any hour.")
