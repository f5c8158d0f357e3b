"""The composition root: settings become one `App` with one short method per verb. It decides nothing.

Invariant: every verb is one service; the faces know this class and nothing below it but values. What a verb needs is
loaded when one is called that needs it, so that a look at the reminders does not wait for what sends them.
"""

from typing import TYPE_CHECKING, Any

from reminders.app.looking import LookingVerbs
from reminders.clock import Clock, SystemClock, SystemMonotonic
from reminders.services.opening import open_installation
from reminders.settings import Settings
from reminders.store.engine import BUSY_MS

if TYPE_CHECKING:
    from reminders.app.nouns import Nouns
    from reminders.services.checkup.check import Check
    from reminders.services.engine import Engine
    from reminders.services.install import Installed
else:
    from reminders.app.opened import Opened as Nouns


class App(LookingVerbs, Nouns):
    """Everything the product does, opened on one database; each noun's verbs stand in a file of their own."""

    if not TYPE_CHECKING:

        def __getattr__(self, verb: str) -> Any:  # noqa: ANN401 - whatever the verb is
            """Return a verb of the nouns, which are loaded by then."""
            from reminders.app.nouns import Nouns as Loaded  # noqa: PLC0415 - see the invariant

            return getattr(Loaded, verb).__get__(self, type(self))


def init(settings: Settings, clock: Clock | None = None, engine: "Engine | None" = None) -> "Installed":
    """Create or upgrade the installation."""
    from reminders.services import install  # noqa: PLC0415 - see the invariant

    return install.install(settings, clock or SystemClock(), engine)


def examine(
    settings: Settings,
    mail_to: str | None = None,
    clock: Clock | None = None,
    clinic: str | None = None,
    engine: "Engine | None" = None,
) -> "tuple[Check, ...]":
    """Say what is wrong with the installation (of one clinic) and how to mend it, whatever state it is in."""
    from reminders.services.checkup import doctor  # noqa: PLC0415 - as above

    return doctor.doctor(settings, clock or SystemClock(), mail_to, clinic=clinic, engine=engine)


def open_app(
    settings: Settings,
    clock: Clock | None = None,
    *,
    busy_ms: int = BUSY_MS,
    engine: "Engine | None" = None,
    **given: Any,  # noqa: ANN401 - handed to `App` as they are
) -> App:
    """Open the product; raises `DatabaseNotReady` where `reminders init` is needed. Writers wait `busy_ms`."""
    boot = SystemMonotonic().boot if clock is None else None  # another clock does not go with the machine's uptime
    clock = clock or SystemClock()
    database, keys = open_installation(settings, clock, busy_ms, boot, engine)
    return App(settings, database, keys, clock, engine=engine, **given)
