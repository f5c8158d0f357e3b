"""Says under which circumstances an audit looked: nothing ran for long, sending is locked, the clock is not believed.

Invariant: these are no broken promises, and change none; but whoever reads that every promise holds must know of them.
"""

import datetime as dt
from collections.abc import Iterator

from reminders.services.guarding.lock import OF_THE_CLOCK, lock_state, reason, suspected, way_on
from reminders.store.database import Transaction

QUIET = dt.timedelta(days=4)
"""How long nothing may have run before that is said: a long weekend is over by then."""


def circumstances(tx: Transaction) -> Iterator[str]:
    """Yield what a reader of the report has to know beside the findings, as sentences."""
    state = lock_state(tx)
    because = state.because or suspected(tx)
    by_the_clock = because is not None and because in OF_THE_CLOCK
    if state.seen_at is not None and tx.now - state.seen_at > QUIET:
        since = f"since {state.seen_at:%Y-%m-%d %H:%M} UTC, {(tx.now - state.seen_at).days} days ago"
        lost = "" if by_the_clock else ": what fell due since then did not go out, and what is past its days will not"
        yield f"Nothing was planned or delivered here {since}{lost}."
    if because is not None:
        now = f"The clock shows {tx.now:%Y-%m-%d %H:%M} UTC, and nothing goes by it"
        yield f"{now if by_the_clock else 'Sending is locked'}: {reason(because)}. {way_on(because)}"
