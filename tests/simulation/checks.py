"""The promises, checked at the fence, at the server and after every step against books of the simulation's own.

Invariant: what a check goes by was written down by the simulation or comes from the slow oracle; of the product only
the stored rows are read. Every breach is a `Broken` that says which promise.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import text

from reminders.domain.facts import Reminder, Rules
from reminders.domain.lifecycle import PENDING, Reason, State
from reminders.domain.protocol import TreatmentClass
from reminders.mail.kept import lacks_consultation
from reminders.services.calendar import rules_for
from reminders.services.find import clinic_of
from reminders.store import facts, reminders
from reminders.store.clinics import Clinic
from reminders.store.database import Transaction
from tests.simulation.books import TOKENS, Accepted, Books, Identity, Person
from tests.support import oracle
from tests.support.clinic import Office

HANDED_OVER = """
    SELECT r.id, r.patient_id, r.clinic_id, r.episode_id, r.step, r.class_name, r.released_at, r.due_at, r.closes,
           r.left_by_limit, r.epoch, r.opens, r.due, r.overdue, r.copy, e.line, e.first_day, m.message_id
    FROM reminders r JOIN messages m ON m.id = r.message_pk JOIN episodes e ON e.id = r.episode_id
    WHERE r.state = 'handed_over' ORDER BY r.id
"""
GONE = """
    SELECT r.id, r.state, m.message_id FROM reminders r JOIN messages m ON m.id = r.message_pk
    WHERE r.state IN ('sent', 'unknown', 'handed_over') AND r.updated_at >= :since ORDER BY r.id
"""
LOCKED = "SELECT count(locked_at) FROM installation"
OVERDUE = """
    SELECT count(*) FROM reminders WHERE clinic_id = :clinic AND due_at < :before AND released_at IS NULL AND copy = 0
    AND NOT left_by_limit AND (state = 'handed_over' OR (state IN ('planned', 'claimed') AND not_after > :now))
"""
KEPT_BACK = "SELECT count(*) FROM reminders WHERE state = 'planned' AND wake_at <= :now AND not_after > :now"
BACKLOG = "SELECT count(*) FROM reminders WHERE state = 'held' AND reason = 'backlog_hold'"
ON_THE_WAY = "SELECT id, state FROM reminders WHERE state IN ('claimed', 'handed_over')"
WAITING = """
    SELECT r.id, r.clinic_id, max(r.wake_at, r.updated_at) FROM reminders r JOIN clinics c ON c.id = r.clinic_id
    WHERE r.state = 'planned' AND r.wake_at <= :now AND r.not_after > :now AND c.paused_at IS NULL
"""
UNPLANNED = "SELECT id FROM patients WHERE replan_at < :now"
OF_LEDGER = "SELECT id, state FROM reminders WHERE id IN ({})"


class Broken(AssertionError):
    """A promise was broken; the number is the contract's."""


def need(promise: int, said: str, *, holds: bool) -> None:
    """Raise `Broken` unless what a promise says holds."""
    if not holds:
        raise Broken(f"promise {promise}: {said}")


@dataclass(slots=True)
class Checks:
    """What was cleared at the fence and not yet accepted, and how far the ledger was compared with the rows."""

    office: Office
    books: Books
    cleared: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    judged: set[tuple[int, int]] = field(default_factory=set)
    compared: int = 0
    looked: int = 0
    late: int = 0
    """How many messages were accepted from a worker that had lost its lease by then."""
    exercised: Counter[int] = field(default_factory=Counter)
    """How often each promise was put to the test: something stood ready to break it, and only the product kept it."""

    def forget(self) -> None:
        """Let go of numbers of rows: an older database was put back, and will use them again."""
        self.cleared.clear()
        self.judged.clear()
        self.compared = len(self.books.ledger)

    def at_the_fence(self) -> None:
        """Judge everything that was let go a moment ago by the facts of this moment."""
        with self.office.read() as tx:
            rows = [dict(row) for row in tx.connection.execute(text(HANDED_OVER)).mappings()]
            for row in rows:
                row["identity"] = self._identity(row)
            self.cleared.update({str(row["message_id"]): [] for row in rows})
            for row in rows:
                self.cleared[str(row["message_id"])].append(row)
                held = (int(str(row["id"])), int(str(row["epoch"])))
                if held not in self.judged:
                    self.judged.add(held)
                    self._let_go_rightly(tx, row)

    def _identity(self, row: dict[str, object]) -> Identity:
        person = self.books.by_id[int(str(row["patient_id"]))]
        line, first_day, step = (str(row[name]) for name in ("line", "first_day", "step"))
        return Identity(person.slug, person.ref, line, first_day, step, int(str(row["copy"])))

    def _let_go_rightly(self, tx: Transaction, row: dict[str, object]) -> None:
        self.looked += 1
        person = self.books.by_id[int(str(row["patient_id"]))]
        clinic = clinic_of(tx, int(str(row["clinic_id"])))
        rules = rules_for(tx, clinic)
        kind = str(row["class_name"])
        told = oracle.expected(facts.facts(tx, [person.id])[person.id], rules, tx.now)
        want = told.get((int(str(row["episode_id"])), str(row["step"])))
        what = f"reminder {row['id']} of {person.slug}/{person.ref}"
        if want is None:
            raise Broken(f"promise 4: {what} went out, and no fact asks for it")
        by_hand = row["released_at"] is not None and want.state is State.HELD
        wanted = want.state is State.PLANNED or by_hand
        need(4, f"{what} went out although it is {want.state} {sorted(map(str, want.reasons))}", holds=wanted)
        starts = max(want.due_at, want.snoozed_until or want.due_at)
        need(
            3,
            f"{what} went out at {tx.now}, not in {starts} to {want.not_after}",
            holds=starts <= tx.now < want.not_after,
        )
        need(3, f"{what} went out outside the hours, at {tx.now}", holds=is_open(clinic, rules, tx.now))
        need(3, f"{what} went out from a paused clinic", holds=clinic.paused_at is None)
        days = tuple(str(day) for day in want.window)
        shown = tuple(str(row[name])[:10] for name in ("opens", "due", "overdue", "closes"))
        need(3, f"{what} offers {shown}, the facts {days}", holds=shown == days)
        forbids = self.books.forbids(person, kind)
        need(4, f"{what} went out although {forbids}", holds=forbids is None)
        self._keeps_distance(person.id, kind, clinic.timezone, what)
        if row["released_at"] is None and not row["left_by_limit"]:
            self._is_no_backlog(tx, clinic, rules)

    def _keeps_distance(self, patient_id: int, kind: str, zone: str, what: str) -> None:
        day = local(zone, self.office.clock.now())
        before = [
            (TreatmentClass(self.books.ledger[place].class_name), local(zone, self.books.ledger[place].at))
            for place in self.books.places[patient_id]
            if place not in self.books.disowned
        ]
        fits = oracle.keeps_distance(TreatmentClass(kind), day, before)
        need(3, f"{what} follows another message too closely, on {day}", holds=fits)

    def _is_no_backlog(self, tx: Transaction, clinic: Clinic, rules: Rules) -> None:
        """Count what the backlog rule speaks of, what was just let go with it, and compare with what is usual."""
        today = local(clinic.timezone, tx.now)
        previous = today - oracle.DAY
        for _ in range(800):
            if oracle.sends(rules.calendar, previous):
                break
            previous -= oracle.DAY
        before = naive(oracle.first_reached(clinic.timezone, previous, 0))
        about = {"clinic": clinic.id, "before": before, "now": naive(tx.now)}
        overdue = tx.connection.execute(text(OVERDUE), about).scalar_one()
        if overdue > 50:
            span = [today - n * oracle.DAY for n in range(1, 29)]
            days = [day for day in span if oracle.sends(rules.calendar, day)]
            sent = Counter[dt.date]()
            for place, one in enumerate(self.books.ledger):
                if one.slug == clinic.slug and place not in self.books.disowned:
                    sent[local(clinic.timezone, one.at)] += len(one.reminders)
            usual = median([sent[day] for day in days] or [0])
            need(
                7,
                f"a backlog of {overdue} went out at {clinic.slug}, where {usual} are usual",
                holds=overdue <= 3 * usual,
            )

    def accepted(self, sender: str, recipient: str, name: str, content: bytes) -> None:
        """Enter what the server took into the ledger, after judging it."""
        rows = self.cleared.get(name, [])
        need(2, f"{name} was accepted without having been handed over", holds=bool(rows))
        person = self.books.by_id[int(str(rows[0]["patient_id"]))]
        need(5, f"{name} went to another address than its patient's", holds=recipient == person.address)
        need(5, f"{name} came from another clinic's sender", holds=sender == f"hello@{person.slug}.example")
        need(6, f"{name} lacks its consultation", holds=not lacks_consultation(content))
        slugs = {one.slug for one in self.books.people}
        told = {slug for slug in slugs if re.search(rf"Clinic {slug.title()}(?!\d)".encode(), content)}
        need(5, f"{name} speaks of {sorted(told)}, not of {person.slug} alone", holds=told == {person.slug})
        self._unlocked(name)
        self.exercised[5] += any(one.address == recipient and one.slug != person.slug for one in self.books.people)
        self.exercised[6] += 1
        for row in rows:
            key = int(str(row["id"]))
            self._not_gone_before(row)
            self.books.accepted[key] += 1
            most = 1 + self.books.by_hand[key]
            need(1, f"reminder {key} was accepted twice", holds=self.books.accepted[key] <= most)
        with self.office.read() as tx:
            states = tx.connection.execute(text(OF_LEDGER.format(int(str(rows[0]["id"]))))).all()
        self.late += any(state != State.HANDED_OVER for _, state in states)
        self._enter(recipient, name, rows, content)

    def _unlocked(self, name: str) -> None:
        with self.office.read() as tx:
            locked = tx.connection.execute(text(LOCKED)).scalar_one()
        need(1, f"{name} left although sending is locked", holds=not locked)
        need(1, f"{name} left although an older copy was put back, and nobody said so", holds=not self.books.doubtful)

    def _not_gone_before(self, row: dict[str, object]) -> None:
        """What went out after a backup that was put back goes out again by a person's word alone, given since."""
        identity = cast("Identity", row["identity"])
        if identity not in self.books.gone:
            return
        since, released = self.books.doubted_at, row["released_at"]
        by_hand = released is not None and since is not None and str(released) >= naive(since)
        if identity in self.books.unrecorded and since is not None:  # recorded again, for a later day than it had
            by_hand = by_hand or str(row["due_at"]) > naive(since)
        need(1, f"{identity} went out before a backup was put back, and goes out again", holds=by_hand)
        self.books.gone.discard(identity)

    def _enter(self, recipient: str, name: str, rows: Sequence[dict[str, object]], content: bytes) -> None:
        del self.cleared[name]
        now = self.office.clock.now()
        plain = content.replace(b"=\r\n", b"").replace(b"=3D", b"=")
        tokens = dict.fromkeys((kind.decode(), token.decode().split("\r")[0]) for kind, token in TOKENS.findall(plain))
        patient_id, kind = int(str(rows[0]["patient_id"])), str(rows[0]["class_name"])
        keys = tuple(int(str(row["id"])) for row in rows)
        slug = self.books.by_id[patient_id].slug
        identities = tuple(cast("Identity", row["identity"]) for row in rows)
        entry = Accepted(now, name, recipient, patient_id, slug, kind, keys, identities, tuple(tokens))
        self.books.places[patient_id].append(len(self.books.ledger))
        self.books.ledger.append(entry)

    def after_a_delivery(self, began: dt.datetime, *, ended_well: bool) -> None:
        """Compare the ledger with the rows: what is sent was accepted, what was accepted is sent or unknown."""
        with self.office.read() as tx:
            for key, state, name in tx.connection.execute(text(GONE), {"since": naive(began)}):
                taken = self.books.accepted[key] > 0 or key in self.books.settled_sent
                need(2, f"reminder {key} is sent, and {name} was never accepted", holds=state != "sent" or taken)
                self.exercised[1] += state != "sent" and taken
            if ended_well:
                self.exercised[3] += tx.connection.execute(text(KEPT_BACK), {"now": naive(tx.now)}).scalar_one() > 0
            fresh = self.books.ledger[self.compared :]
            self.compared = len(self.books.ledger)
            keys = sorted({key for one in fresh for key in one.reminders})
            for key, state in tx.connection.execute(text(OF_LEDGER.format(",".join(map(str, keys)) or "NULL"))):
                gone = state in ("sent", "unknown", "handed_over", "bounced") or self.books.by_hand[key]
                need(2, f"reminder {key} was accepted, and is {state}", holds=bool(gone))

    def look_for_a_backlog(self) -> None:
        """Note that a backlog is held, if one is."""
        with self.office.read() as tx:
            self.exercised[7] += tx.connection.execute(text(BACKLOG)).scalar_one() > 0

    def no_byte_is_left(self, person: Person, files: Iterable[Path]) -> None:
        """Look into the files for what told who an erased patient was."""
        words = [rb"Ada%s(?!\d)" % person.given_ref.encode()]
        words += [re.escape(one.encode()) for one in sorted(person.addresses - self.books.known_to_others(person))]
        for file in files:
            content = file.read_bytes() if file.exists() else b""
            found = [word for word in words if re.search(rb"(?<![\w.])" + word, content)]
            need(10, f"{file.name} still holds {found} of {person.slug}/{person.given_ref}", holds=not found)
        self.exercised[10] += 1

    def patients(self, patient_ids: Iterable[int], *, planned_now: bool = True) -> None:
        """Compare the stored reminders of patients with what the oracle wants.

        Of those who were not all planned at this moment, what only the clock has changed waits for the next delivery,
        which may be locked: a planning that is due, and the end of a reminder whose days are over.
        """
        with self.office.read() as tx:
            waiting = () if planned_now else tx.connection.execute(text(UNPLANNED), {"now": naive(tx.now)}).scalars()
            ids = sorted(set(patient_ids).difference(waiting))
            known, stored = facts.facts(tx, ids), reminders.stored(tx, ids)
            for key in ids:
                rules = rules_for(tx, clinic_of(tx, known[key].clinic_id))
                told = oracle.expected(known[key], rules, tx.now)
                kept = [row for row in stored[key] if planned_now or not _is_over(row, tx.now)]
                _accounted_for(key, told, kept, tx.now)
                self.exercised[4] += any(
                    row.state is State.CANCELLED and row.due_at <= tx.now < row.not_after for row in stored[key]
                )

    def nothing_waits(self, quiet_since: dt.datetime) -> None:
        """When nothing went wrong for days, nothing is left that could have gone on a whole sending day (promise 11).

        Left behind is what is held or failed, what a paused clinic has, and what comes after a full day's limit.
        """
        with self.office.read() as tx:
            need(11, "sending is still locked", holds=not tx.connection.execute(text(LOCKED)).scalar_one())
            on_the_way = tx.connection.execute(text(ON_THE_WAY)).all()
            need(11, f"{on_the_way[:3]} never arrived", holds=not on_the_way)
            for key, clinic_id, since in tx.connection.execute(text(WAITING), {"now": naive(tx.now)}).all():
                clinic = clinic_of(tx, clinic_id)
                began = max(quiet_since, dt.datetime.fromisoformat(since).replace(tzinfo=dt.UTC))
                day, today = local(clinic.timezone, began) + oracle.DAY, local(clinic.timezone, tx.now)
                calendar = rules_for(tx, clinic).calendar
                whole = [one for n in range((today - day).days) if oracle.sends(calendar, one := day + n * oracle.DAY)]
                need(11, f"reminder {key} could have gone on {whole}", holds=not whole or self._full(clinic, whole[-1]))

    def _full(self, clinic: Clinic, day: dt.date) -> bool:
        sent = [one for one in self.books.ledger if one.slug == clinic.slug and local(clinic.timezone, one.at) == day]
        return clinic.daily_limit is not None and len(sent) >= clinic.daily_limit


def _is_over(row: Reminder, now: dt.datetime) -> bool:
    return row.state in PENDING and row.not_after <= now


def _accounted_for(
    patient: int, told: dict[tuple[int, str], oracle.Expected], stored: Sequence[Reminder], now: dt.datetime
) -> None:
    kept = {(row.episode_id, row.step) for row in stored if row.copy == 0}
    for key, want in told.items():
        ended = Reason.TREATED_AGAIN in want.reasons
        need(2, f"step {key} of patient {patient} is not stored", holds=key in kept or now >= want.not_after or ended)
    for row in stored:
        want_now = told.get((row.episode_id, row.step))
        what = f"reminder {row.id} of patient {patient} is {row.state} {row.reason}"
        if row.state in PENDING:
            if want_now is None:
                raise Broken(f"promise 2: {what}, and no fact asks for it")
            need(2, f"{what}, the facts want {want_now.state}", holds=want_now.state in PENDING)
            days = (row.window.opens, row.window.due, row.window.overdue, row.window.closes)
            same = (row.due_at, row.not_after, days) == (want_now.due_at, want_now.not_after, want_now.window)
            need(2, f"{what} on other days than the facts want", holds=same)
        if row.state is State.CANCELLED and want_now is not None and now < want_now.not_after:
            still = want_now.state in (State.CANCELLED, State.EXPIRED)
            need(2, f"{what}, the facts want {want_now.state}", holds=still)


def local(zone: str, now: dt.datetime) -> dt.date:
    """Return a clinic's day."""
    return now.astimezone(ZoneInfo(zone)).date()


def naive(now: dt.datetime) -> str:
    """Return a moment as SQLite keeps it."""
    return now.astimezone(dt.UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def is_open(clinic: Clinic, rules: Rules, now: dt.datetime) -> bool:
    """Look at the clinic's wall clock."""
    wall = now.astimezone(ZoneInfo(clinic.timezone))
    minute = wall.hour * 60 + wall.minute
    return oracle.sends(rules.calendar, wall.date()) and clinic.opens_at <= minute < clinic.closes_at
