"""Says whether anybody keeps the clock: without one nothing is sent by itself.

Invariant: an installation whose deliveries something else begins, such as cron, is not called wrong for that.
"""

from reminders.services.checkup.check import Check
from reminders.services.heartbeat import pulse
from reminders.store.database import Transaction

NAME = "ticking"
_BEGIN = "`reminders run` or `reminders worker` keeps it; or let cron run `reminders deliver` every few minutes"


def ticking_check(tx: Transaction) -> Check:
    """Say when the clock last ticked, and whether it should tick now."""
    found = pulse(tx)
    if found.newest is None:
        return Check(NAME, None, "the clock never ticked here", _BEGIN)
    last = f"{found.newest.ticked_at:%Y-%m-%d %H:%M:%S} UTC"
    if found.stopped:
        return Check(NAME, None, f"the clock was stopped at {last}", _BEGIN)
    if found.dead:
        return Check(NAME, ok=False, said=f"the clock fell silent at {last}", advice="start it again, and see its log")
    return Check(NAME, ok=True, said=f"the clock ticked at {last}")
