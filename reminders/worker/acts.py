"""What each tick does: one verb of the product, and a line about it where something happened.

Invariant: nothing but signs of life is written while the machine's clock is not to be trusted.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from reminders.app import App
from reminders.log import Log
from reminders.services.choose import Visit
from reminders.services.deliver import DeliverOutcome
from reminders.services.guarding.lock import Because
from reminders.services.plan import PlanOutcome, Progress
from reminders.stopping import Stop
from reminders.worker.jumps import JumpWatch
from reminders.worker.ping import Ping
from reminders.worker.ticks import EndsNow, Ticker
from reminders.worker.watchdog import DELIVERY

LINES_LAST_S = 60
"""How long a connection to the mail server outlasts its last message: longer than from one delivery to the next."""

Beat = Callable[[], None]
_COUNTS = ("sent", "deferred", "failed", "unknown", "cancelled", "expired", "held", "announced")


@dataclass(slots=True)
class Acts:
    """The ticks' verbs; `ping` hears of every delivery after which all is well, and while a long one goes on."""

    app: App
    name: str
    log: Log
    stop: Stop
    jumps: JumpWatch
    ticker: Ticker
    ping: Ping | None
    _gets_through: bool = False
    """Whether the last round, or the delivery after it, went well as far as its server is concerned."""

    def heartbeat(self, _: Beat) -> None:
        """Give a sign of life; and outside too, where a delivery is at work and gets through."""
        self.jumps.beat()
        self._lock_if_needed()
        self.app.beat(self.name)
        if self.ticker.signs.went_on(DELIVERY) and self._gets_through:
            self._all_is_well()

    def deliver(self, beat: Beat) -> None:
        """Send what is due."""
        hold = self.ticker.signs.hold

        def send(through: Progress) -> DeliverOutcome:
            return self.app.deliver(through, stop=self._ends, beat=beat, holding=hold, lines_last_s=LINES_LAST_S)

        self._deliver(send)

    def share_delivery(self, beat: Beat) -> None:
        """Share out what is due."""
        self._deliver(lambda _: self.app.share_delivery(stop=self._ends, beat=beat))

    def top_up(self, beat: Beat) -> None:
        """Share out more."""
        self._need_a_steady_clock()
        self.app.top_up(beat=beat)

    def deliver_batch(self, beat: Beat, visits: Sequence[Visit], *, more: bool) -> None:
        """Send what is due to these patients; `more` asks for more of them first."""
        hold = self.ticker.signs.hold

        def send(through: Progress) -> DeliverOutcome:
            return self.app.deliver_batch(
                visits, through, more=more, stop=self._ends, beat=beat, holding=hold, lines_last_s=LINES_LAST_S
            )

        self._deliver(send)

    def _deliver(self, send: Callable[[Progress], DeliverOutcome]) -> None:
        self._need_a_steady_clock()
        outcome = self._delivered(send)
        counts = {name: getattr(outcome, name) for name in _COUNTS if getattr(outcome, name)}
        if counts:
            self.log.info("delivered", tick="deliver", next_at=outcome.next_at, **counts)
        if outcome.skipped:
            self.ticker.say_seldom("rows cannot be read: see `reminders doctor`", tick="deliver", count=outcome.skipped)
        if outcome.stopped is not None:
            rests = {"said": outcome.stopped, "until": outcome.open_until}
            self.ticker.say_seldom("the mail server rests", tick="deliver", **rests)
        else:
            self._all_is_well()

    def _delivered(self, send: Callable[[Progress], DeliverOutcome]) -> DeliverOutcome:
        def through(_done: int, _of: int | None) -> None:
            self._gets_through = True

        well = False
        try:
            outcome = send(through)
            well = outcome.stopped is None
        finally:
            self._gets_through = well
        return outcome

    def _all_is_well(self) -> None:
        """Say so outside, unless another tick fails or this is about to end."""
        if self.ping is not None and not self._ends() and not self.ticker.degraded_but(DELIVERY):
            self.ping.well()

    def plan(self, beat: Beat) -> None:
        """Make the stored reminders agree with the facts."""
        self._plan(self.app.plan, beat)

    def share_plan(self, _: Beat) -> None:
        """Share out the planning."""
        self._need_a_steady_clock()
        self.app.share_plan()

    def plan_span(self, beat: Beat, clinic_id: int, first: int, last: int) -> None:
        """Plan the patients of a clinic between two ids."""
        self._plan(lambda progress: self.app.plan_span(clinic_id, first, last, progress), beat)

    def _plan(self, plan: Callable[[Progress], PlanOutcome], beat: Beat) -> None:
        self._need_a_steady_clock()

        def progress(_done: int, _of: int | None) -> None:
            beat()
            if self._ends():
                raise EndsNow

        outcome = plan(progress)
        changed = sum(outcome.changes.values()) + outcome.backlog_held
        if changed:
            self.log.info("planned", tick="plan", count=changed, held=outcome.backlog_held)
        if outcome.skipped:
            self.ticker.say_seldom("rows cannot be read: see `reminders doctor`", tick="plan", count=outcome.skipped)

    def rescue(self, _: Beat) -> None:
        """Take what dead workers left."""
        self._need_a_steady_clock()
        found = self.app.rescue()
        counts = {name: getattr(found, name) for name in ("planned", "unknown", "failed") if getattr(found, name)}
        if counts:
            self.log.warning("rescued what a dead worker left", tick="rescue", **counts)

    def retention(self, beat: Beat) -> None:
        """Drop what is kept no longer."""
        self._need_a_steady_clock()

        def go_on() -> bool:
            beat()
            return not self._ends()

        dropped = {name: count for name, count in asdict(self.app.tidy(go_on)).items() if count}
        if dropped:
            self.log.info("tidied", tick="retention", **dropped)

    def _ends(self) -> bool:
        return self.stop.asked() or self.jumps.paused

    def _need_a_steady_clock(self) -> None:
        self.jumps.look()
        self._lock_if_needed()
        if self.jumps.paused:
            raise EndsNow

    def _lock_if_needed(self) -> None:
        if self.jumps.locks:
            self.app.lock(Because.CLOCK_AHEAD)
            self.jumps.locks = False
            self.log.error("the machine's clock jumped far ahead: sending is locked, see `reminders doctor`")
