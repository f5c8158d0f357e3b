"""Keeps the ways by which mail leaves: the transport of the settings, shared, and those that clinics have themselves.

Invariants: a clinic with a transport of its own never sends over the shared one, not even where its own cannot be
opened; two clinics at one server have a breaker each, since their passwords differ; what is shown holds no password.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reminders.errors import BadInput, CannotDo
from reminders.mail.transport import BadTransportUrl, Transport, rate_of, transport_for
from reminders.services.breaker import Breakers
from reminders.services.find import the_clinic
from reminders.services.keys import BrokenSeal, Keys
from reminders.store import clinic_transports, transports
from reminders.store.clinic_transports import Sealed
from reminders.store.database import Transaction

PURPOSE = "clinic transport"


class BadClinicTransport(BadInput):
    """What was given cannot be used as a clinic's transport: {problem}.

    Give one line: smtp://user:password@host:587, smtps://… or file:DIR.
    """


class ClinicTransportClosed(CannotDo):
    """The transport of the clinic {slug} cannot be opened, so its mail waits, and is not sent by another way.

    Give it again with `reminders clinic transport {slug} --url-file FILE`.
    """


@dataclass(frozen=True, slots=True)
class Way:
    """A transport with its breaker, and how many messages a minute it may take; None is no limit."""

    transport: Transport
    breakers: Breakers
    rate: int | None = None


@dataclass(slots=True)
class OwnWays:
    """The ways of the clinics that have one of their own; each is opened once, when it is first asked for."""

    keys: Keys | None = None
    sealed: Mapping[int, Sealed] = field(default_factory=dict)
    _opened: dict[int, Way | None] = field(default_factory=dict)

    def __contains__(self, clinic_id: int) -> bool:
        """Tell whether a clinic has one."""
        return clinic_id in self.sealed

    def __bool__(self) -> bool:
        """Tell whether any clinic has one."""
        return bool(self.sealed)

    def of(self, clinic_id: int) -> Way | None:
        """Return a clinic's own; None where it cannot be opened."""
        if clinic_id not in self._opened and self.keys is not None:
            try:
                self._opened[clinic_id] = opened(self.keys, self.sealed[clinic_id])
            except ClinicTransportClosed:
                self._opened[clinic_id] = None
        return self._opened.get(clinic_id)


def own_ways(tx: Transaction, keys: Keys) -> OwnWays:
    """Return the ways that clinics have for themselves."""
    return OwnWays(keys, {one.clinic_id: one for one in clinic_transports.sealed_ones(tx)})


def opened(keys: Keys, one: Sealed) -> Way:
    """Return a clinic's own way; raises `ClinicTransportClosed`."""
    try:
        url = keys.unseal(PURPOSE, one.sealed).decode()
        transport, rate = transport_for(url), rate_of(url)
    except (BrokenSeal, ValueError, BadTransportUrl):
        raise ClinicTransportClosed(slug=one.slug) from None
    return Way(transport, Breakers(_name(transport, one.slug)), rate)


def _name(transport: Transport, slug: str) -> str:
    return f"{transport.name} of {slug}"


def give_transport(tx: Transaction, keys: Keys, slug: str, text: str) -> str:
    """Give a clinic a transport of its own; return its scheme, host and port. Raises `BadClinicTransport`.

    What was counted against one of that name before is forgotten: a mended password is tried at once.
    """
    clinic, url = the_clinic(tx, slug), text.strip()
    if len(url.splitlines()) != 1:
        raise BadClinicTransport(problem="it is not one line")
    try:
        transport = transport_for(url)
    except BadTransportUrl as error:
        raise BadClinicTransport(problem=error.facts["problem"]) from None
    clinic_transports.put(tx, clinic.id, keys.seal(PURPOSE, url.encode()))
    transports.forget(tx, _name(transport, slug))
    return transport.name


def share_transport(tx: Transaction, slug: str) -> None:
    """Let a clinic send over the transport of the settings again."""
    clinic_transports.drop(tx, the_clinic(tx, slug).id)


def names_of(tx: Transaction, keys: Keys) -> dict[str, str | None]:
    """Return the scheme, host and port of every clinic's own transport by slug; None where it cannot be opened."""
    sealed: Sequence[Sealed] = clinic_transports.sealed_ones(tx)
    own = OwnWays(keys, {one.clinic_id: one for one in sealed})
    found = {one.slug: own.of(one.clinic_id) for one in sealed}
    return {slug: way.transport.name if way else None for slug, way in found.items()}
