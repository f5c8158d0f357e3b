"""The composition root: settings become one `App` with one short method per verb. It decides nothing.

Invariant: every verb is one service; the faces know this class and nothing below it but values.
"""

from typing import Any

from reminders.app.answers import AnswerVerbs
from reminders.app.clinics import ClinicVerbs
from reminders.app.duty import DutyVerbs
from reminders.app.foresight import ForesightVerbs
from reminders.app.guarding import GuardingVerbs
from reminders.app.health import HealthVerbs
from reminders.app.patients import PatientVerbs
from reminders.app.senders import SenderVerbs
from reminders.app.shared import SharedVerbs
from reminders.app.templates import TemplateVerbs
from reminders.clock import Clock, SystemClock, SystemMonotonic
from reminders.services import install
from reminders.services.checkup import doctor
from reminders.services.engine import Engine
from reminders.settings import Settings
from reminders.store.engine import BUSY_MS


class App(
    SenderVerbs,
    TemplateVerbs,
    ClinicVerbs,
    PatientVerbs,
    SharedVerbs,
    DutyVerbs,
    ForesightVerbs,
    GuardingVerbs,
    AnswerVerbs,
    HealthVerbs,
):
    """Everything the product does, opened on one database; each noun's verbs stand in a file of their own."""


def init(settings: Settings, clock: Clock | None = None, engine: Engine | None = None) -> install.Installed:
    """Create or upgrade the installation."""
    return install.install(settings, clock or SystemClock(), engine)


def examine(
    settings: Settings,
    mail_to: str | None = None,
    clock: Clock | None = None,
    clinic: str | None = None,
    engine: Engine | None = None,
) -> tuple[doctor.Check, ...]:
    """Say what is wrong with the installation (of one clinic) and how to mend it, whatever state it is in."""
    return doctor.doctor(settings, clock or SystemClock(), mail_to, clinic=clinic, engine=engine)


def open_app(
    settings: Settings,
    clock: Clock | None = None,
    *,
    busy_ms: int = BUSY_MS,
    engine: Engine | None = None,
    **given: Any,  # noqa: ANN401 - handed to `App` as they are
) -> App:
    """Open the product; raises `DatabaseNotReady` where `reminders init` is needed. Writers wait `busy_ms`."""
    boot = SystemMonotonic().boot if clock is None else None  # another clock does not go with the machine's uptime
    clock = clock or SystemClock()
    database, keys = install.open_installation(settings, clock, busy_ms, boot, engine)
    return App(settings, database, keys, clock, engine=engine, **given)
