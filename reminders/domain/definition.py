"""A protocol as plain JSON values, in the keys of the product's contract, and back again.

Invariant: `from_plain(as_plain(protocol))` is the same protocol (its effective day stands beside it, not in it), and
whatever else is given is refused with the key that is wrong.
"""

import datetime as dt
from collections.abc import Mapping
from typing import TypeVar

from reminders.domain.interval import BadInterval, Interval
from reminders.domain.protocol import Anchor, Protocol, Step, TreatmentClass
from reminders.errors import BadInput

T = TypeVar("T")

_WINDOW = ("opens", "due", "overdue", "closes")
_KEYS = frozenset(
    {
        *("code", "name", "label", "class", "group", "line", "min_days", "window", "steps"),
        *("source", "verified", "version", "active", "sessions", "then", "effective_on"),
    }
)


class BadProtocol(BadInput):
    """Protocol {code}: {problem}. Mend the file; nothing was changed."""


def as_plain(protocol: Protocol) -> dict[str, object]:
    """Return the protocol as JSON values; a label in English alone is a plain string."""
    label: object = protocol.label["en"] if set(protocol.label) == {"en"} else dict(protocol.label)
    return {
        "code": protocol.code,
        "name": protocol.name,
        "label": label,
        "class": str(protocol.class_name),
        "group": protocol.group,
        "line": protocol.line,
        "min_days": protocol.min_days,
        "window": {day: str(getattr(protocol, day)) for day in _WINDOW},
        "steps": [
            {"name": step.name, "anchor": str(step.anchor), "offset": str(step.offset)} for step in protocol.steps
        ],
        "source": protocol.source,
        "verified": protocol.verified,
        "version": protocol.version,
        "active": protocol.active,
        "sessions": protocol.sessions,
        "then": protocol.then,
        "effective_on": protocol.effective_on.isoformat() if protocol.effective_on else None,
    }


def from_plain(plain: object) -> Protocol:
    """Return the protocol that JSON values describe, else raise `BadProtocol`. Only the shape is checked."""
    if not isinstance(plain, Mapping):
        raise BadProtocol(code="?", problem="it is no JSON object")
    code = plain.get("code") if isinstance(plain.get("code"), str) else "?"
    reader = _Reader(str(code), plain)
    unknown = sorted(str(key) for key in plain.keys() - _KEYS)
    if unknown:
        raise BadProtocol(code=code, problem=f"the key {unknown[0]} is unknown")
    window = reader.inner("window")
    return Protocol(
        code=reader.text("code"),
        name=reader.text("name"),
        label=reader.label(),
        class_name=reader.one_of("class", TreatmentClass),
        group=reader.text("group"),
        line=reader.text("line"),
        opens=window.interval("opens"),
        due=window.interval("due"),
        overdue=window.interval("overdue"),
        closes=window.interval("closes"),
        steps=tuple(reader.steps()),
        min_days=reader.number("min_days", 0),
        source=reader.text("source", ""),
        verified=reader.text("verified", ""),
        version=reader.number("version", 1),
        active=reader.given("active", bool, default=True),
        sessions=reader.number("sessions") if plain.get("sessions") is not None else None,
        then=reader.text("then") if plain.get("then") is not None else None,
        effective_on=reader.day("effective_on"),
    )


class _Reader:
    """Reads the keys of one JSON object, each with its type, and names the key that is wrong."""

    def __init__(self, code: str, plain: Mapping[str, object], place: str = "") -> None:
        self._code, self._plain, self._place = code, plain, place

    def given(self, key: str, kind: type[T], default: T | None = None) -> T:
        value = self._plain.get(key, default)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            missing = "is missing" if value is None else "has the wrong type"
            raise BadProtocol(code=self._code, problem=f"{self._place}{key} {missing}")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        value = self.given(key, str, default)
        if default is None and not value.strip():
            raise BadProtocol(code=self._code, problem=f"{self._place}{key} is empty")
        return value

    def number(self, key: str, default: int | None = None) -> int:
        value = self.given(key, int, default)
        if value < 0:
            raise BadProtocol(code=self._code, problem=f"{self._place}{key} is negative")
        return value

    def interval(self, key: str) -> Interval:
        try:
            return Interval.parse(self.text(key))
        except BadInterval as error:
            raise BadProtocol(code=self._code, problem=f"{self._place}{key}: {error}") from None

    def one_of(self, key: str, kind: type[T]) -> T:
        try:
            return kind(self.text(key))  # type: ignore[call-arg] # an enumeration looks its member up by value
        except ValueError:
            raise BadProtocol(code=self._code, problem=f"{self._place}{key} is none of its values") from None

    def day(self, key: str) -> dt.date | None:
        if self._plain.get(key) is None:
            return None
        try:
            return dt.date.fromisoformat(self.text(key))
        except ValueError:
            raise BadProtocol(code=self._code, problem=f"{self._place}{key} is no day such as 2026-03-25") from None

    def inner(self, key: str) -> "_Reader":
        return _Reader(self._code, self.given(key, dict), f"{self._place}{key}.")

    def label(self) -> dict[str, str]:
        label = self._plain.get("label")
        if isinstance(label, str) and label.strip():
            return {"en": label}
        texts = label if isinstance(label, Mapping) else {}
        if not isinstance(texts.get("en"), str) or not all(isinstance(text, str) and text for text in texts.values()):
            raise BadProtocol(code=self._code, problem="label needs a text, or texts by language with one in en")
        return dict(texts)

    def steps(self) -> list[Step]:
        found = []
        for number, step in enumerate(self.given("steps", list), start=1):
            if not isinstance(step, Mapping):
                raise BadProtocol(code=self._code, problem=f"step {number} is no JSON object")
            reader = _Reader(self._code, step, f"step {number}: ")
            found.append(Step(reader.text("name"), reader.one_of("anchor", Anchor), reader.interval("offset")))
        return found
