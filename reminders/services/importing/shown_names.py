"""Judges the names that messages would show against the advertising rules of a clinic's jurisdiction, row by row.

Invariant: a name is read once however many rows it stands in, and what is said of it never repeats it.
"""

import functools
from collections.abc import Collection

from reminders.services.advertising import forbidden_in_a_name
from reminders.services.importing.people import folded

MOST_REMEMBERED = 32_768
"""Names: a clinic's patients share a few thousand given names, and a file may hold any number."""


class ShownNames:
    """Knows the jurisdiction, and the practitioners that the clinic has: those are the clinic's own to mend."""

    def __init__(self, jurisdiction: str | None, practitioners: Collection[str] = ()) -> None:
        """Keep what names are judged by."""
        self._known = {folded(name) for name in practitioners}
        # without a jurisdiction nothing is refused, and nothing need be read
        found = functools.partial(forbidden_in_a_name, jurisdiction=jurisdiction) if jurisdiction else _nothing
        self._found = functools.lru_cache(maxsize=MOST_REMEMBERED)(found)

    def about_practitioner(self, name: str) -> str:
        """Return why a practitioner is not added; empty where they are, or are known."""
        what = "" if not name or folded(name) in self._known else self._found(name)
        return f"holds {what}: left out" if what else ""

    def about_patient(self, name: str) -> str:
        """Return what to mend in the name by which a patient is greeted; empty where there is nothing."""
        what = self._found(name) if name else ""
        return f"holds {what}: messages to this patient would be held until it is changed" if what else ""


def _nothing(name: str) -> str:  # noqa: ARG001 - asked as the check is
    return ""
