"""Planning, sending, showing and deciding what is sent.

Invariant: every verb is one service; nothing is decided here.
"""

import datetime as dt
import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from reminders.app.opened import Opened
from reminders.domain.lifecycle import State
from reminders.mail.render import Renderer
from reminders.mail.transport import BadTransportUrl, rate_of
from reminders.services import audit, decide, deliver, explain, explain_rest, plan, preview, signing
from reminders.services.breaker import Breakers
from reminders.services.configured import NoTransport, configured_transport
from reminders.services.find import the_clinic
from reminders.services.guarding.place import place_here
from reminders.services.plan import Progress
from reminders.services.points import never, nothing, unwatched
from reminders.services.rounds import Worker
from reminders.services.ways import own_ways


def new_name() -> str:
    """Return a name that no other delivery has."""
    return f"deliver-{os.getpid()}-{secrets.token_hex(4)}"


class DeliveryVerbs(Opened):
    """Planning, sending, showing and deciding what is sent."""

    def plan(self, progress: Progress | None = None) -> plan.PlanOutcome:
        """Make the stored reminders agree with the facts."""
        return plan.plan_everyone(self.database, self.clock, progress)

    def deliver(
        self,
        progress: Progress | None = None,
        *,
        stop: Callable[[], bool] = never,
        beat: Callable[[], None] = nothing,
        holding: Callable[[int], object] = unwatched,
        lines_last_s: float = 0,
    ) -> deliver.DeliverOutcome:
        """Send everything that is due now; ends early once `stop` says so, and calls `beat` on the way.

        `holding` is told how many answers of servers the database has not taken yet. Connections are left open for the
        next delivery until `lines_last_s` after their last message.
        """
        worker = self._worker(stop, beat, holding, lines_last_s)
        return deliver.deliver(worker, new_name(), self.settings.round, progress)

    def _worker(
        self,
        stop: Callable[[], bool] = never,
        beat: Callable[[], None] = nothing,
        holding: Callable[[int], object] = unwatched,
        lines_last_s: float = 0,
    ) -> Worker:
        """Return what a delivery works with; raises `NoTransport`."""
        with self._reading() as tx:
            sign = signing.signer(tx, self.keys)
            place = place_here(tx, self.settings)
            own = own_ways(tx, self.keys)
        url = self.settings.smtp_url
        transport = self.transport or (configured_transport(self.settings) if url or not own else None)
        return Worker(
            database=self.database,
            clock=self.clock,
            keys=self.keys,
            renderer=Renderer(),  # a new one each time: a file that was mended is read at the next delivery
            transport=transport,
            breakers=Breakers(transport.name if transport else ""),
            rate=rate_of(url) if url else None,
            own=own,
            lease=dt.timedelta(seconds=self.settings.lease_s),
            link_base=self.settings.link_base,
            observe=self.observe,
            chance=self.chance,
            sign=sign,
            place=place,
            stop=stop,
            beat=beat,
            holding=holding,
            lines=self.lines,
            lines_last_s=lines_last_s,
        )

    def hang_up(self) -> None:
        """Close the connections to mail servers that deliveries left open."""
        self.lines.close()

    def why(self, slug: str, ref: str) -> explain.Explanation:
        """Explain every step of one patient."""
        with self._reading() as tx:
            clinic = the_clinic(tx, slug)
            found = explain.why(tx, clinic, ref)
            waits = explain_rest.rests(tx, self.keys, self._shared_name, clinic, found.patient.known.id)
            return replace(found, notes=(*found.notes, *waits))

    @property
    def _shared_name(self) -> str | None:
        """The name of the transport that clinics share; None where there is none that can be used."""
        with suppress(NoTransport, BadTransportUrl):
            return (self.transport or configured_transport(self.settings)).name
        return None

    def preview(self, slug: str, ref: str, step: str | None) -> preview.Preview:
        """Return exactly what would be sent."""
        with self._reading() as tx:
            found, base = the_clinic(tx, slug), self.settings.link_base
            return preview.preview(tx, self.keys, Renderer(), base, found, ref, step)

    def release(self, ids: Sequence[int]) -> decide.Decision:
        """Let held reminders go."""
        with self._writing() as tx:
            return decide.release(tx, ids)

    def release_all(self, slug: str) -> decide.Decision:
        """Let everything held at a clinic go."""
        with self._writing() as tx:
            return decide.release_all(tx, the_clinic(tx, slug))

    def hold(self, ids: Sequence[int], why: str) -> decide.Decision:
        """Hold planned reminders for a person."""
        with self._writing() as tx:
            return decide.hold(tx, ids, why)

    def settle(self, reminder_id: int, state: State, why: str) -> decide.Decision:
        """Decide what became of an unknown message."""
        with self._writing() as tx:
            return decide.settle(tx, reminder_id, state, why)

    def retry(self, ids: Sequence[int]) -> decide.Decision:
        """Plan failed reminders again."""
        with self._writing() as tx:
            return decide.retry(tx, ids)

    def came_back(self, reminder_id: int, *, complaint: bool) -> decide.Decision:
        """Record a bounce or a complaint."""
        with self._writing() as tx:
            return decide.came_back(tx, reminder_id, complaint=complaint)

    def audit(
        self, progress: Progress | None = None, *, against: Sequence[Path] = (), checkpoint: Path | None = None
    ) -> audit.AuditReport:
        """Verify the promises on the live database, and that its trail continues from the checkpoints."""
        found = (self.database, self.clock, self.keys)
        return audit.audit(*found, progress, against=against, checkpoint=checkpoint)
