"""PostgreSQL's own: who waits for whom, what a lost COMMIT leaves, and by whose clock leases end."""

import contextlib
import datetime as dt
import threading
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from reminders.domain.lifecycle import State
from reminders.store import audit_trail, clinics, lapses, outbox, queue, transports
from reminders.store import patients as store_patients
from reminders.store.audit_trail import Event
from reminders.store.database import Database, Transaction, check_ready, create_or_upgrade, database_now
from reminders.store.faults import CommitUnknown, DatabaseBusy, DatabaseNewer, DatabaseUnreachable, EntryRefused
from reminders.store.outbox import Held
from reminders.store.reminders import stored
from reminders.store.schema import patients, reminders
from reminders.store.transports import Breaker
from tests.store.clinic import NOW, a_clinic, a_message, a_patient, plan, planned, treat
from tests.support.database import AUDIT_KEY
from tests.support.postgres import Cluster
from tests.support.proxy import LATE, UNANSWERED, UNSENT, Proxy

LATER = NOW + dt.timedelta(minutes=20)


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    made = Database(postgres_url, audit_key=AUDIT_KEY, busy_ms=5000, lease_clock=lambda _: NOW)
    yield made
    made.close()


@pytest.fixture
def impatient(postgres_url: str) -> Iterator[Database]:
    made = Database(postgres_url, audit_key=AUDIT_KEY, busy_ms=50, lease_clock=lambda _: NOW)
    yield made
    made.close()


def two_patients(database: Database) -> tuple[int, int]:
    """Return two patients of a clinic, each with a plan."""
    with database.write(NOW, "cli") as tx:
        clinic, one, _ = planned(tx, "1001")
        other = a_patient(tx, clinic, "1002")
        treat(tx, other, ref="visit-1002")
        plan(tx, clinic, other)
    return one.id, other.id


def claim(tx: Transaction, patient_id: int, worker: str = "w1", until: dt.datetime = LATER) -> list[Held]:
    """Claim the first reminder of a patient whom nobody else has."""
    if not store_patients.take_patients(tx, [patient_id]):
        return []
    reminder = stored(tx, [patient_id])[patient_id][0]
    clinic_id = tx.connection.execute(select(patients.c.clinic_id).where(patients.c.id == patient_id)).scalar_one()
    name = f"<{patient_id}-{worker}@linden.test>"
    return outbox.claim(tx, [([reminder], a_message(tx, (clinic_id, patient_id), name))], worker, until)[0]


def actions(database: Database) -> list[str]:
    with database.read(NOW) as tx:
        assert audit_trail.verify(tx) is None
        return [entry.action for entry in audit_trail.entries(tx)]


# who waits for whom
def test_two_claims_at_once_take_different_patients(database: Database) -> None:
    one, other = two_patients(database)
    with database.write(NOW, "w1", alongside=True) as first, database.write(NOW, "w2", alongside=True) as second:
        assert len(claim(first, one)) == 1
        assert claim(second, one, "w2") == [], "a patient whom another worker is at is left to them"
        assert len(claim(second, other, "w2")) == 1
    with database.read(NOW) as tx:
        found = tx.connection.execute(select(reminders.c.worker).where(reminders.c.state == State.CLAIMED))
        assert sorted(found.scalars()) == ["w1", "w2"]
    assert actions(database)[-2:] == ["claim", "claim"]


def test_facts_do_not_change_beside_a_delivery(database: Database, impatient: Database) -> None:
    with database.write(NOW, "deliver", alongside=True):
        with pytest.raises(DatabaseBusy), impatient.write(NOW, "cli"):
            pass
        with impatient.write(NOW, "deliver", alongside=True):
            pass
    with database.write(NOW, "cli"), pytest.raises(DatabaseBusy), impatient.write(NOW, "deliver", alongside=True):
        pass


def test_a_change_of_facts_that_waits_is_not_kept_waiting_by_deliveries_that_come_after(
    database: Database, impatient: Database
) -> None:
    began, order = threading.Event(), []

    def change() -> None:
        began.set()
        with database.write(NOW, "cli") as tx:
            a_clinic(tx)
            order.append("facts")

    with database.write(NOW, "deliver", alongside=True) as tx:
        thread = threading.Thread(target=change)
        thread.start()
        began.wait(5)
        asked = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while tx.connection.exec_driver_sql(asked).scalar_one() == 0:
            pass
        with pytest.raises(DatabaseBusy), impatient.write(NOW, "deliver", alongside=True):
            pass
        order.append("delivery")
    thread.join(10)
    assert order == ["delivery", "facts"]


def test_entries_of_deliveries_at_once_make_one_unbroken_trail(postgres_url: str, database: Database) -> None:
    def work(name: str) -> None:
        own = Database(postgres_url, audit_key=AUDIT_KEY)
        for number in range(25):
            with own.write(NOW, name, alongside=True) as tx:
                audit_trail.record_many(tx, [Event(name, "reminder", number), Event(name, "reminder", number)])
        own.close()

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    found = actions(database)
    assert len(found) == 200
    assert found[::2] == found[1::2], "the entries of a transaction stand together"


def test_a_clinic_with_a_limit_is_claimed_for_by_one_at_a_time(database: Database, impatient: Database) -> None:
    with database.write(NOW, "cli") as tx:
        clinic = a_clinic(tx)
    with database.write(NOW, "w1", alongside=True) as first:
        queue.take_clinic(first, clinic.id)
        with pytest.raises(DatabaseBusy), impatient.write(NOW, "w2", alongside=True) as second:
            queue.take_clinic(second, clinic.id)


def test_a_renewal_leaves_the_row_that_its_worker_is_at(database: Database, impatient: Database) -> None:
    one, other = two_patients(database)
    with database.write(NOW, "w1", alongside=True) as tx:
        held = claim(tx, one) + claim(tx, other)
    with database.write(NOW, "w1", alongside=True) as tx:
        assert outbox.begin_bodies(tx, [held[:1]]) == [True]
        with impatient.write(NOW, "lease", alongside=True) as beside:
            assert outbox.renew(beside, held, LATER + dt.timedelta(minutes=20)) == 1
    with database.write(NOW, "lease", alongside=True) as tx:
        assert outbox.renew(tx, held, LATER + dt.timedelta(minutes=40)) == 2


# the trail waits for the end of its transaction
def test_what_is_recorded_is_seen_in_its_own_transaction(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        audit_trail.record(tx, "change", "patient", 7)
        assert [entry.subject_id for entry in audit_trail.entries(tx, subject="patient")] == [7]
        audit_trail.record(tx, "change", "patient", 8)
        assert audit_trail.verify(tx) is None
    assert actions(database) == ["change", "change"]


def test_a_claim_that_comes_too_late_for_one_of_its_reminders_takes_none_and_leaves_no_entry(
    database: Database,
) -> None:
    with database.write(NOW, "cli") as tx:
        _, patient, _ = planned(tx)
        chosen = stored(tx, [patient.id])[patient.id][:2]
        gone = reminders.c.id == chosen[1].id
        tx.connection.execute(update(reminders).where(gone).values(state=State.CANCELLED, reason="booked"))
    before = actions(database)
    with database.write(NOW, "deliver", alongside=True) as tx:
        message = a_message(tx, (1, patient.id), "<m@linden.test>")
        assert outbox.claim(tx, [(chosen, message)], "w1", LATER) == [[]]
    assert actions(database) == before
    with database.read(NOW) as tx:
        assert stored(tx, [patient.id])[patient.id][0].state is State.PLANNED


def test_a_statement_that_failed_and_was_passed_over_undoes_everything_and_says_so(database: Database) -> None:
    def careless() -> None:
        with database.write(NOW, "cli") as tx:
            a_clinic(tx)
            with pytest.raises(IntegrityError):
                a_clinic(tx)

    with pytest.raises(EntryRefused):
        careless()
    with database.read(NOW) as tx:
        assert clinics.all_clinics(tx) == []


# a COMMIT whose answer is lost
@pytest.mark.parametrize(("how", "stands"), [(UNSENT, False), (UNANSWERED, True), (LATE, True)])
def test_a_lost_commit_is_said_to_be_unknown_and_a_writer_who_is_alone_sees_what_became_of_it(
    postgres_url: str, how: str, *, stands: bool
) -> None:
    with Proxy(postgres_url) as proxy:
        database = Database(proxy.url, audit_key=AUDIT_KEY, busy_ms=20_000)
        proxy.arm(how)
        with pytest.raises(CommitUnknown), database.write(NOW, "deliver", alongside=True) as tx:
            audit_trail.record(tx, "change", "patient", 7)
        assert proxy.cuts == 1
        with database.read(NOW) as tx:
            at_a_glance = bool(audit_trail.entries(tx))
        assert at_a_glance == (how == UNANSWERED), "a reader cannot see a commit that is still on its way"
        with database.write(NOW, "deliver") as tx:
            assert bool(audit_trail.entries(tx)) == stands
        database.close()


def test_a_connection_that_is_ended_in_the_middle_is_a_database_out_of_reach(database: Database) -> None:
    with pytest.raises(DatabaseUnreachable), database.write(NOW, "cli") as tx:
        tx.connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
    with database.write(NOW, "cli") as tx:  # and the next one is on a new connection
        assert clinics.all_clinics(tx) == []


def test_connections_that_died_while_idle_are_replaced(database: Database, postgres_url: str) -> None:
    with database.write(NOW, "cli") as first, database.read(NOW) as second:
        assert first.connection is not second.connection
    with psycopg.connect(postgres_url, autocommit=True) as other:
        mine = "datname = current_database() AND pid <> pg_backend_pid()"
        other.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}")  # noqa: S608
    with database.write(NOW, "cli") as tx:
        a_clinic(tx)


# what a server's own settings cannot change
def test_a_server_that_answers_before_the_disk_has_it_is_told_not_to(database: Database, postgres_url: str) -> None:
    settings = ("synchronous_commit = off", "default_transaction_isolation = 'serializable'")
    with psycopg.connect(postgres_url, autocommit=True) as other:
        name = sql.Identifier(other.info.dbname)
        for setting in settings:
            other.execute(sql.SQL("ALTER DATABASE {} SET ").format(name) + sql.SQL(setting))
    database.close()
    shown = ("synchronous_commit", "transaction_isolation", "lock_timeout", "idle_in_transaction_session_timeout")
    with database.write(NOW, "cli") as tx:
        found = [tx.connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in shown]
        assert tx.connection.exec_driver_sql("SHOW transaction_timeout").scalar_one() == "0"
    with database.write(NOW, "deliver", alongside=True) as tx:
        assert tx.connection.exec_driver_sql("SHOW transaction_timeout").scalar_one() == "2min"
    assert found == ["on", "read committed", "5s", "30s"]


def test_a_writer_that_waited_sees_what_the_other_did(database: Database) -> None:
    with database.write(NOW, "cli") as tx:
        transports.keep(tx, Breaker("smtp"))

    def count() -> None:
        for _ in range(20):
            with database.write(NOW, "deliver") as tx:
                seen = transports.breaker(tx, "smtp").faults
                transports.keep(tx, Breaker("smtp", faults=seen + 1))

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with database.read(NOW) as tx:
        assert transports.breaker(tx, "smtp").faults == 60


# leases
@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_worker_whose_clock_is_wrong_takes_no_living_lease(postgres_url: str, minutes: int) -> None:
    right, wrong = (Database(postgres_url, audit_key=AUDIT_KEY) for _ in range(2))
    patient_id, _ = two_patients(right)
    off = NOW + dt.timedelta(minutes=minutes)
    for claims, when, looks, at in ((right, NOW, wrong, off), (wrong, off, right, NOW)):
        with claims.write(when, f"at {when}", alongside=True) as tx:
            held = claim(tx, patient_id, tx.actor, until=database_now(tx) + dt.timedelta(minutes=5))
        with looks.read(at) as tx:
            assert lapses.lapsed(tx) == []
        with claims.write(when, "w1") as tx:
            assert outbox.put_back(tx, held, State.CLAIMED, again_at=None, refused=False, fault=None)
    right.close()
    wrong.close()


def test_a_lease_is_over_when_the_server_says_so(database: Database) -> None:
    patient_id, _ = two_patients(database)
    with database.write(NOW, "w1", alongside=True) as tx:
        held = claim(tx, patient_id, until=NOW)
    with database.read(NOW - dt.timedelta(days=1)) as tx:
        assert [one.held for one in lapses.lapsed(tx)] == held


def test_the_server_tells_the_time_unless_a_test_does(postgres_url: str) -> None:
    plain = Database(postgres_url)
    with plain.read(NOW) as tx:
        first, second = database_now(tx), database_now(tx)
    plain.close()
    assert NOW < first < second
    assert first.tzinfo is dt.UTC


# making and upgrading
def test_two_inits_at_once_make_one_database(postgres: Cluster) -> None:
    name, failed = postgres.make(), []

    def init() -> None:
        try:
            create_or_upgrade(postgres.url(name))
        except Exception as error:  # noqa: BLE001 - whatever it is, the test tells
            failed.append(error)

    threads = [threading.Thread(target=init) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    check_ready(postgres.url(name))
    postgres.drop(name)


def test_a_newer_database_is_refused_and_left_as_it_is(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")
    for refuse in (create_or_upgrade, check_ready):
        with pytest.raises(DatabaseNewer):
            refuse(postgres_url)


def test_connections_that_were_given_up_while_in_use_end_with_their_use_and_others_are_kept(
    database: Database, postgres_url: str
) -> None:
    def backend() -> int:
        with database.read(NOW) as tx:
            return int(tx.connection.execute(select(func.pg_backend_pid())).scalar_one())

    for _ in range(3):
        with contextlib.ExitStack() as stack:
            for _ in range(4):
                stack.enter_context(database.read(NOW))
            database.connect_anew()
    assert backend() == backend()
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute(others).fetchone() == (1,)
