"""The engine that shares work among several machines: its tables, its jobs in our transactions, and its slots."""

import random
import sys
import threading
from pathlib import Path

import pytest
from procrastinate.schema import SchemaManager

from reminders.clock import SystemClock
from reminders.main import bound_engine
from reminders.services.checkup.check import Check
from reminders.services.checkup.engine import engine_checks
from reminders.services.engine import Job, NoEngine, Task
from reminders.services.install import install
from reminders.services.opening import open_installation
from reminders.settings import Settings
from reminders.store import jobs
from reminders.store.database import Database, create_or_upgrade
from reminders.worker.distributed import (
    Procrastinate,
    SharedTablesMissing,
    SharedTablesNewer,
    SharedTablesOlder,
)
from tests.support.postgres import Cluster
from tests.support.running import KEY, program
from tests.support.sharing import Machines, kept

SCRIPTS = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
DESCRIPTION = """
    SELECT 'column', table_name || '.' || column_name, data_type || coalesce(column_default, '') || is_nullable
      FROM information_schema.columns WHERE table_schema = 'reminders_jobs' AND table_name LIKE 'procrastinate%%'
    UNION SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'reminders_jobs'
    UNION SELECT 'function', proname || pg_get_function_identity_arguments(oid), regexp_replace(prosrc, '\\s+', '', 'g')
      FROM pg_proc WHERE pronamespace = 'reminders_jobs'::regnamespace
    UNION SELECT 'trigger', tgname, pg_get_triggerdef(oid) FROM pg_trigger
      WHERE NOT tgisinternal AND tgrelid::regclass::text LIKE '%%procrastinate%%'
    ORDER BY 1, 2, 3
"""


def described(database: Database) -> list[tuple[str, str, str]]:
    with database.read(SystemClock().now()) as tx:
        found = tx.connection.exec_driver_sql(DESCRIPTION)
        return [(kind, name, text) for kind, name, text in found]


@pytest.fixture
def plain(postgres_url: str) -> Database:
    return Database(postgres_url, audit_key=b"the key of a test")


def test_its_tables_are_made_once_and_stand_apart_from_ours(plain: Database, postgres_url: str) -> None:
    engine, clock = Procrastinate(), SystemClock()
    with plain.read(clock.now()) as tx, pytest.raises(SharedTablesMissing):
        engine.need_schema(tx)
    assert engine.create_schema(plain, clock)
    assert not engine.create_schema(plain, clock)
    with plain.read(clock.now()) as tx:
        engine.need_schema(tx)
    create_or_upgrade(postgres_url)  # which would refuse tables that are not ours
    plain.close()


@pytest.mark.parametrize("known", [len(SCRIPTS) - 1, len(SCRIPTS) - 5])
def test_older_tables_are_upgraded_to_what_new_ones_are(
    plain: Database, postgres: Cluster, migrated_database: str, known: int
) -> None:
    engine, clock = Procrastinate(), SystemClock()
    with plain.write(clock.now, "test") as tx:
        jobs.create(tx, SCRIPTS[0].read_text(), [SCRIPTS[0].name])
    for script in SCRIPTS[1:known]:
        with plain.write(clock.now, "test") as tx:
            jobs.upgrade(tx, script.name, script.read_text())
    with plain.read(clock.now()) as tx, pytest.raises(SharedTablesOlder):
        engine.need_schema(tx)
    assert engine.create_schema(plain, clock)
    name = postgres.make(migrated_database)
    fresh = Database(postgres.url(name), audit_key=b"the key of a test")
    assert engine.create_schema(fresh, clock)
    old, new = described(plain), described(fresh)
    fresh.close()
    plain.close()
    postgres.forget(name)
    assert old == new


def test_tables_of_a_newer_version_are_refused(machines: Machines) -> None:
    with machines.office.write() as tx:
        tx.connection.exec_driver_sql("INSERT INTO reminders_jobs.applied VALUES ('99.00.00_01_pre_later.sql')")
    with machines.office.read() as tx, pytest.raises(SharedTablesNewer):
        Procrastinate().need_schema(tx)
    with pytest.raises(SharedTablesNewer):
        Procrastinate().create_schema(machines.office.database, machines.office.clock)


def test_a_job_is_there_when_its_transaction_was_committed_and_not_before(machines: Machines) -> None:
    engine, office = Procrastinate(), machines.office

    class Undone(Exception):
        """A test's own."""

    def half() -> None:
        with office.write() as tx:
            assert engine.defer(tx, Job(Task.PLAN_BATCH, {"clinic_id": 1, "first": 1, "last": 2}))
            office.database.with_audit_key(b"")  # whatever else happens in it
            raise Undone

    with pytest.raises(Undone):
        half()
    with office.read() as tx:
        assert kept(tx) == []
    with office.write() as tx:
        assert engine.defer(tx, Job(Task.PLAN_BATCH, {"clinic_id": 1, "first": 1, "last": 2}))
    with office.read() as tx:
        assert jobs.live(tx, Task.PLAN_BATCH) == [(True, {"clinic_id": 1, "first": 1, "last": 2})]


def test_one_that_is_to_be_alone_waits_alone_and_its_transaction_goes_on(machines: Machines) -> None:
    engine = Procrastinate()
    with machines.office.write() as tx:
        assert engine.defer(tx, Job(Task.TOP_UP, alone=True))
        assert not engine.defer(tx, Job(Task.TOP_UP, alone=True))
        assert engine.defer(tx, Job(Task.PLAN, alone=True))
    with machines.office.read() as tx:
        assert [name for (name,) in kept(tx, "task_name")] == ["top_up", "plan"]


def test_of_two_machines_exactly_one_puts_a_job_in_for_each_slot(machines: Machines) -> None:
    chance, office = random.Random(7), machines.office
    nodes = [machines.add(ahead_s=0), machines.add(ahead_s=3600), machines.add(ahead_s=-40)]
    seen: set[int] = set()
    for _ in range(300):
        office.clock.advance(seconds=chance.choice([1, 3, 9, 11, 31]))
        slot = int(office.clock.now().timestamp()) // 30
        assert chance.choice(nodes).defer_in_slot(Task.DELIVER, 30) is (slot not in seen)
        seen.add(slot)
        with office.write() as tx:  # some crew has done it
            jobs.driver(tx).execute("DELETE FROM procrastinate_jobs")
    assert len(seen) > 60


def test_at_one_moment_on_many_connections_exactly_one_wins_each_slot(machines: Machines) -> None:
    nodes, won = [machines.add() for _ in range(4)], []
    barrier = threading.Barrier(len(nodes))
    lock = threading.Lock()

    def ticks(number: int) -> None:
        for slot in range(25):
            if barrier.wait(20) == 0:
                machines.office.clock.advance(seconds=30)
            barrier.wait(20)
            if nodes[number].defer_in_slot(Task.RESCUE, 30):
                with lock:
                    won.append(slot)
                with machines.office.write() as tx:
                    jobs.driver(tx).execute("DELETE FROM procrastinate_jobs")

    threads = [threading.Thread(target=ticks, args=(number,)) for number in range(len(nodes))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert won == list(range(25))


def test_a_machine_that_was_held_up_does_not_run_an_earlier_slot_again(machines: Machines) -> None:
    with machines.office.write() as tx:
        assert jobs.take_slot(tx, Task.PLAN, 60_000, 30_000)
        assert jobs.take_slot(tx, Task.PLAN, 90_000, 30_000)
        assert not jobs.take_slot(tx, Task.PLAN, 60_000, 30_000)
        assert not jobs.take_slot(tx, Task.PLAN, 90_000, 30_000)


def test_a_slot_that_was_taken_under_a_clock_far_ahead_keeps_nobody_out(machines: Machines) -> None:
    with machines.office.write() as tx:
        assert jobs.take_slot(tx, Task.PLAN, 86_400_000, 30_000)
        assert jobs.take_slot(tx, Task.PLAN, 60_000, 30_000)


def test_a_slot_whose_job_still_waits_brings_no_second_one(machines: Machines) -> None:
    node = machines.add()
    assert node.defer_in_slot(Task.DELIVER, 30)
    machines.office.clock.advance(seconds=30)
    assert not node.defer_in_slot(Task.DELIVER, 30)


def test_there_is_none_on_sqlite_or_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_server = "postgresql://clinic@db.example/reminders"
    assert bound_engine(Settings(database_url="sqlite:///clinic.db")) is None
    assert bound_engine(Settings(database_url=on_a_server, engine="local")) is None
    assert bound_engine(Settings(database_url=on_a_server)) is not None
    with pytest.raises(NoEngine, match="extra `distributed`"):
        bound_engine(Settings(database_url="sqlite:///clinic.db", engine="distributed"))
    monkeypatch.setitem(sys.modules, "procrastinate", None)
    assert bound_engine(Settings(database_url=on_a_server)) is None
    with pytest.raises(NoEngine):
        bound_engine(Settings(database_url=on_a_server, engine="distributed"))


def test_init_makes_its_tables_and_a_worker_without_them_is_refused_with_a_sentence(
    postgres: Cluster, tmp_path: Path
) -> None:
    url = postgres.url(postgres.make())
    settings = Settings(database_url=url, secret_key=KEY)
    assert not install(settings, SystemClock()).shared_made
    with program(tmp_path, "worker", url=url) as worker:
        assert worker.ended() == 4
    assert "run `reminders init`" in worker.text
    with program(tmp_path, "init", url=url) as init:
        assert init.ended() == 0
    assert "share the work" in init.text
    database, _ = open_installation(settings, SystemClock(), engine=Procrastinate())
    database.close()


def told(machines: Machines, *, bound: bool = True) -> Check:
    with machines.office.read() as tx:
        [check] = engine_checks(tx, Procrastinate() if bound else None)
    return check


def test_the_doctor_says_which_engine_is_bound_and_what_is_wrong_with_it(machines: Machines) -> None:
    alone = told(machines, bound=False)
    assert (alone.ok, alone.said.partition(":")[0]) == (True, "local")
    nobody = told(machines)
    assert (nobody.ok, "reminders worker" in nobody.advice) == (None, True)
    with machines.office.write() as tx:
        driver = jobs.driver(tx)
        driver.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
        Procrastinate().defer(tx, Job(Task.PLAN))
    well = told(machines)
    assert (well.ok, "): 1," in well.said, "wait: 1" in well.said) == (True, True, True)
    with machines.office.write() as tx:
        jobs.driver(tx).execute("UPDATE procrastinate_jobs SET status = 'doing'")
    left = told(machines)
    assert (left.ok, "dead worker: 1" in left.said) == (False, True)


def test_the_doctor_finds_that_its_tables_are_missing(plain: Database) -> None:
    with plain.read(SystemClock().now()) as tx, pytest.raises(SharedTablesMissing):
        list(engine_checks(tx, Procrastinate()))
    plain.close()
