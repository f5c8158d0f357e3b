"""The ticks of a clock whose work several machines share: each puts a job in, which one of the crews then does.

Invariant: signs of life are each machine's own; everything else is put in once for a slot, whoever ticks first.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from reminders.app import App
from reminders.services.engine import Task
from reminders.worker.ticks import Tick
from reminders.worker.watchdog import DELIVERY

NAMES: Mapping[Task, str] = {
    Task.DELIVER: "share",
    Task.TOP_UP: "top_up",
    Task.DELIVER_BATCH: DELIVERY,
    Task.PLAN: "share_plan",
    Task.PLAN_BATCH: "plan",
    Task.RESCUE: "rescue",
    Task.RETENTION: "retention",
    Task.RETRY_STALLED: "retry_stalled",
}
"""What each task is called where ticks are told of and watched over."""
_ASKS_AT_LEAST_EVERY_S = 60.0


def slot_ticks(app: App, every_s: Mapping[Task, float], first_s: Mapping[Task, float]) -> Iterator[Tick]:
    """Yield the ticks that put periodic jobs in, one job for each slot of `every_s` seconds.

    They come more often than slots begin: so none is left out by a tick that is a moment early or late.
    """
    for task, every in every_s.items():
        asks = min(every / 3, _ASKS_AT_LEAST_EVERY_S)
        yield Tick(f"slot_{task}", asks, partial(_ask, app, task, every), first_s.get(task, 0))


def _ask(app: App, task: Task, every_s: float, _: Callable[[], None]) -> None:
    app.defer_in_slot(task, every_s)
