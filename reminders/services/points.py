"""The named instants of a delivery, in their order; whoever watches may stop the process at any of them.

Invariant: between two points there is at most one commit or one word on the wire, so that a kill at each of them covers
every crash a delivery can have.
"""

from collections.abc import Callable
from enum import StrEnum


class Point(StrEnum):
    """An instant of a delivery."""

    STARTED = "started"
    CLAIMED = "claimed"
    RENDERED = "rendered"
    CONNECTED = "connected"
    ENVELOPE_ACCEPTED = "envelope_accepted"
    BYTES_KEPT = "bytes_kept"
    BODY_WRITTEN = "body_written"
    FENCED = "fenced"
    DOT_WRITTEN = "dot_written"
    ANSWERED = "answered"
    SETTLED = "settled"


Observer = Callable[[Point], None]


def nobody(point: Point) -> None:
    """Watch nothing."""


def nothing() -> None:
    """Tell nobody."""


def unwatched(answers: int) -> None:
    """Watch over no answers: nobody would end the process while some are not recorded."""


def never() -> bool:
    """Ask for nothing: a delivery that nobody may stop."""
    return False
