"""Says whether anybody keeps the clock, without which nothing is sent by itself, and what it is set to do beside that.

Invariant: an installation whose deliveries something else begins, such as cron, is not called wrong for that.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from reminders.services.checkup.check import Check
from reminders.services.heartbeat import pulse
from reminders.settings import Settings
from reminders.store.database import Transaction

NAME = "ticking"
_NO_PING = "REMINDERS_PING_URL is not set: nobody outside is told when the clock falls silent"
_RED = (
    "start it again, and see its log; if cron delivers here from now on, start `reminders worker` once and end it with"
    " Ctrl-C (after two days of cron's deliveries that shows by itself)"
)
_BEGIN = "`reminders run` or `reminders worker` keeps it; or let cron run `reminders deliver` every few minutes"


def ticking_check(tx: Transaction) -> Check:
    """Say when the clock last ticked, and whether it should tick now."""
    found = pulse(tx)
    if found.newest is None:
        return Check(NAME, None, "the clock never ticked here", _BEGIN)
    last = f"{found.newest.ticked_at:%Y-%m-%d %H:%M:%S} UTC"
    if found.replaced:
        said = f"the clock fell silent at {last}; something else, such as cron, has begun the deliveries for days"
        return Check(NAME, None, said)
    if found.stopped:
        return Check(NAME, None, f"the clock was stopped at {last}", _BEGIN)
    if found.dead:
        return Check(NAME, ok=False, said=f"the clock fell silent at {last}", advice=_RED)
    return Check(NAME, ok=True, said=f"the clock ticked at {last}")


def settings_checks(settings: Settings) -> Iterator[Check]:
    """Yield what is asked while all is well, without the address's path, which is a secret, and what is kept."""
    host = urlsplit(settings.ping_url).hostname if settings.ping_url else None
    said = f"REMINDERS_PING_URL is set: {host} is asked after the clock's deliveries" if host else _NO_PING
    yield Check("ping", ok=True, said=said)
    days = settings.keep_messages_days
    kept = f"for {days} days" if days else "for good"
    said = f"the bytes of messages that are over, {kept} (REMINDERS_KEEP_MESSAGES_DAYS={days})"
    yield Check("kept", ok=True, said=said)
