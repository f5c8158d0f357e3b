"""What several machines share: each puts the same periodic jobs in, and does those that it is handed.

Invariant: every verb is one service; nothing is decided here.
"""

from collections.abc import Callable, Sequence
from functools import partial

from reminders.app.delivery import DeliveryVerbs, new_name
from reminders.services import deliver, plan, share
from reminders.services.choose import Visit
from reminders.services.engine import Engine, Job, NoEngine, Task, defer_in_slot
from reminders.services.plan import Progress
from reminders.services.points import never, nothing, unwatched


class SharedVerbs(DeliveryVerbs):
    """What several machines share."""

    def defer_in_slot(self, task: Task, every_s: float) -> bool:
        """Put a periodic job in, unless another machine did so in this slot of `every_s` seconds."""
        return defer_in_slot(self.database, self.clock, self._engine, task, every_s)

    def share_delivery(
        self, *, stop: Callable[[], bool] = never, beat: Callable[[], None] = nothing
    ) -> deliver.DeliverOutcome:
        """Do what comes before sending and after it, and share out what is due."""
        return share.share_delivery(self._worker(stop, beat), self._engine)

    def top_up(self, *, beat: Callable[[], None] = nothing) -> None:
        """Share out more of what is due, where too little waits."""
        share.top_up(self._worker(beat=beat), self._engine)

    def deliver_batch(
        self,
        visits: Sequence[Visit],
        progress: Progress | None = None,
        *,
        more: bool = False,
        stop: Callable[[], bool] = never,
        beat: Callable[[], None] = nothing,
        holding: Callable[[int], object] = unwatched,
        lines_last_s: float = 0,
    ) -> deliver.DeliverOutcome:
        """Send what is due to these patients; `more` asks for more batches first."""
        if more:
            with self.database.write(self.clock.now, "deliver", alongside=True) as tx:
                self._engine.defer(tx, Job(Task.TOP_UP, alone=True))
        worker = self._worker(stop, beat, holding, lines_last_s)
        waits = partial(share.batches_wait, self.database, self.clock)
        return deliver.deliver_batch(worker, new_name(), self.settings.round, visits, progress, others_wait=waits)

    def share_plan(self) -> int:
        """Share out the planning of everybody; return in how many jobs."""
        return share.share_plan(self.database, self.clock, self._engine)

    def plan_span(self, clinic_id: int, first: int, last: int, progress: Progress | None = None) -> plan.PlanOutcome:
        """Plan those of a clinic's patients whose ids lie between two, both included."""
        return plan.plan_span(self.database, self.clock, clinic_id, first, last, progress)

    @property
    def _engine(self) -> Engine:
        if self.engine is None:
            raise NoEngine
        return self.engine
