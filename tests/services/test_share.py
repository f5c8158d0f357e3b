"""Sharing out: what is due and what is to be planned becomes jobs for all machines, and jobs do not pile up."""

from dataclasses import replace
from typing import Any

from reminders.services.batches import LEAST
from reminders.services.breaker import Breakers
from reminders.services.deliver import deliver_batch
from reminders.services.engine import Task
from reminders.services.insist import Patience
from reminders.services.share import batches_wait, top_up
from reminders.store import jobs, patients
from reminders.worker.distributed import Procrastinate
from tests.support.clinic import INVITED_AT
from tests.support.post import Mood, Post
from tests.support.sharing import Machines, worker_of


def live(machines: Machines, task: Task = Task.DELIVER_BATCH) -> list[dict[str, Any]]:
    with machines.office.read() as tx:
        return [arguments for _, arguments in jobs.live(tx, task)]


def done(machines: Machines, count: int) -> None:
    """Let the last jobs be over, as a crew does."""
    with machines.office.write() as tx:
        driver = jobs.driver(tx)
        driver.execute(
            "DELETE FROM procrastinate_jobs WHERE id IN (SELECT id FROM procrastinate_jobs ORDER BY id DESC LIMIT %s)",
            (count,),
        )


def due(machines: Machines, count: int = 60) -> None:
    machines.office.add_clinic()
    machines.office.add_due(count)
    machines.office.clock.set(INVITED_AT)


def test_everybody_who_is_due_is_in_one_batch_and_asking_again_adds_nobody(machines: Machines) -> None:
    due(machines)
    node = machines.add(Post(machines.office.clock.now))
    assert node.share_delivery().sent == 0
    assert node.share_delivery().sent == 0
    everybody = [patient_id for arguments in live(machines) for _, patient_id in arguments["visits"]]
    assert len(everybody) == len(set(everybody)) == 60
    assert [len(arguments["visits"]) for arguments in live(machines)] == [LEAST, LEAST, 10]


def test_what_a_lost_batch_held_is_shared_out_again(machines: Machines) -> None:
    due(machines)
    node = machines.add(Post(machines.office.clock.now))
    node.share_delivery()
    done(machines, 1)
    node.share_delivery()
    everybody = {patient_id for arguments in live(machines) for _, patient_id in arguments["visits"]}
    assert len(everybody) == 60


def test_batches_hold_ids_and_nothing_of_a_patient(machines: Machines) -> None:
    due(machines, 1)
    machines.add(Post(machines.office.clock.now)).share_delivery()
    [arguments] = live(machines)
    assert arguments == {"visits": [[1, 1]], "more": False}


def test_nothing_is_shared_out_while_the_transport_rests(machines: Machines) -> None:
    due(machines)
    post = Post(machines.office.clock.now)
    with machines.office.write() as tx:
        Breakers(post.name).rest(tx, "it said 421", 0.5)
    assert machines.add(post).share_delivery().stopped is not None
    assert live(machines) == []


def test_what_is_more_than_may_wait_is_brought_by_a_batch_in_the_middle(machines: Machines) -> None:
    due(machines, 120)
    worker, engine = worker_of(machines.office), Procrastinate()
    top_up(worker, engine, 4 * LEAST)
    found = live(machines)
    assert [len(arguments["visits"]) for arguments in found] == [LEAST] * 4
    assert [arguments["more"] for arguments in found] == [False, False, True, False]
    done(machines, 1)
    top_up(worker, engine, 4 * LEAST)
    assert live(machines) == found[:3], "enough wait"
    done(machines, 1)
    top_up(worker, engine, 4 * LEAST)
    assert [(len(arguments["visits"]), arguments["more"]) for arguments in live(machines)[2:]] == [
        (LEAST, False),
        (LEAST, True),
    ]


def test_a_batch_that_is_to_bring_more_asks_for_it_once(machines: Machines) -> None:
    node = machines.add(Post(machines.office.clock.now))
    node.deliver_batch([], more=True)
    node.deliver_batch([], more=True)
    assert live(machines, Task.TOP_UP) == [{}]
    node.top_up()


def test_a_plan_covers_every_patient_once_and_is_not_shared_out_twice(machines: Machines) -> None:
    due(machines, 30)
    machines.office.add_clinic("elm")
    machines.office.add_due(5, "elm")
    node = machines.add()
    assert node.share_plan() == 2
    assert node.share_plan() == 0, "the first still waits"
    spans = live(machines, Task.PLAN_BATCH)
    assert sum(node.plan_span(**span).patients for span in spans) == 35


def test_spans_follow_one_another_and_leave_nobody_out(machines: Machines) -> None:
    due(machines, 30)
    machines.office.add_clinic("elm")
    machines.office.add_due(3, "elm")
    machines.office.add_due(8, prefix="L")
    with machines.office.read() as tx:
        spans = patients.spans(tx, 1, 7)
        everybody = [one for one, _ in patients.patients_of(tx, 1)]
    assert [[one for one in everybody if first <= one <= last] for first, last in spans] == [
        everybody[start : start + 7] for start in range(0, len(everybody), 7)
    ]


# ways
def test_whose_domain_rests_is_not_shared_out_and_keeps_nobody_else_waiting(machines: Machines) -> None:
    due(machines, 10)
    office, post = machines.office, Post(machines.office.clock.now)
    for number in range(1, 9):
        office.change_patient(f"P{number}", email=f"p{number}@busy.example")
    post.moods.extend([Mood.RCPT_LATER] * 3)
    assert office.deliver(post, 1, stop=lambda: not post.moods).deferred == 3
    top_up(worker_of(office, post), Procrastinate(), 5)
    assert [len(arguments["visits"]) for arguments in live(machines)] == [2]


def test_a_rate_has_no_more_shared_out_than_it_lets_go_in_a_minute(machines: Machines) -> None:
    due(machines, 10)
    machines.office.add_clinic("elm")
    machines.office.add_due(10, "elm")
    worker = replace(worker_of(machines.office), rate=4)
    top_up(worker, Procrastinate())
    assert sum(len(arguments["visits"]) for arguments in live(machines)) == 4


def test_a_batch_waits_for_a_rate_unless_another_one_waits_for_a_machine(machines: Machines) -> None:
    due(machines, 2 * LEAST)
    office = machines.office
    post, waited = Post(office.clock.now), list[float]()
    office.patience = Patience(wait=waited.append)
    worker = replace(worker_of(office, post), rate=60, patience=office.patience)
    top_up(worker, Procrastinate())
    [batch, _] = live(machines)
    outcome = deliver_batch(
        worker, "one", 8, batch["visits"], others_wait=lambda: batches_wait(office.database, office.clock)
    )
    assert (outcome.sent, waited) == (10, [])
    done(machines, 2)
    worker = replace(worker, stop=lambda: len(waited) >= 3)
    deliver_batch(worker, "one", 8, batch["visits"], others_wait=lambda: batches_wait(office.database, office.clock))
    assert len(waited) == 3
