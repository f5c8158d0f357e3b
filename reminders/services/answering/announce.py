"""Tells each clinic that patients answered, by one short mail that names nobody; delivery does so when it ends.

Invariants: at most one notice per clinic and delivery, and none while its way rests; an answer is announced once the
server took the notice, or may have taken it. A crash after the last byte repeats a notice, which harms nobody. What
a server says of one clinic's notice concerns that clinic's notices alone: they rest, and nobody's mail does.
"""

from collections import Counter
from collections.abc import Sequence

from reminders.domain.answers import AnswerKind
from reminders.errors import RemindersError
from reminders.mail.address import sender_domain
from reminders.mail.compose import message_id
from reminders.mail.notice import Notice, write_notice
from reminders.mail.outcome import Outcome, TransportFault, Verdict
from reminders.mail.transport import hand_over
from reminders.mail.words import language_of
from reminders.services.breaker import Breakers
from reminders.services.rounds import Worker
from reminders.services.ways import Way
from reminders.store import answers
from reminders.store.clinics import Clinic, readable_clinics

ORDER = (AnswerKind.PHONE_ME, *(kind for kind in AnswerKind if kind is not AnswerKind.PHONE_ME))
Waiting = tuple[int, AnswerKind]


def announce(worker: Worker) -> int:
    """Tell every clinic what its patients answered since the last notice; return how many answers were told of.

    Asked to stop, it leaves the rest to the next delivery.
    """
    with worker.database.read(worker.clock.now()) as tx:
        said_to, known = answers.unannounced(tx), {clinic.id: clinic for clinic in readable_clinics(tx)}
    waiting = [(known[clinic_id], said) for clinic_id, said in said_to.items() if clinic_id in known]
    told, broken = 0, set[str]()
    for clinic, said in waiting:
        worker.beat()
        way = worker.way(clinic.id)
        if worker.stop():
            break
        if way is None or way.breakers.name in broken:
            continue
        with worker.database.read(worker.clock.now()) as tx:
            if way.breakers.open_until(tx) is not None or notices_of(clinic).open_until(tx) is not None:
                continue
        try:
            content = _written(worker, clinic, said)
        except RemindersError:  # a name that fits no header holds the patients' mail too, and the check-up says so
            continue
        try:
            outcome = _handed_over(way, clinic, content)
        except TransportFault as fault:
            with worker.database.write(worker.clock.now, "deliver") as tx:
                way.breakers.fault(tx, fault, worker.chance.random())
            broken.add(way.breakers.name)  # one try is enough for one delivery: the next has another
            continue
        told += len(said) if _settled(worker, clinic, said, outcome) else 0
    return told


def notices_of(clinic: Clinic) -> Breakers:
    """Return the breaker of a clinic's notices."""
    return Breakers(f"notices of {clinic.slug}")


def _settled(worker: Worker, clinic: Clinic, said: Sequence[Waiting], outcome: Outcome) -> bool:
    """Keep what the server said; false where it did not take the notice, which is tried again after a rest."""
    taken, jitter = outcome.verdict in (Verdict.ACCEPTED, Verdict.UNKNOWN), worker.chance.random()
    with worker.database.write(worker.clock.now, "deliver") as tx:
        if outcome.verdict is Verdict.ACCEPTED:
            if (way := worker.way(clinic.id)) is not None:
                way.breakers.answered(tx, [(outcome, jitter)])
            notices_of(clinic).answered(tx, [(outcome, jitter)])
        if taken:
            answers.mark_announced(tx, [key for key, _ in said])
        else:
            notices_of(clinic).rest(tx, outcome.summary, jitter)
    return taken


def _written(worker: Worker, clinic: Clinic, said: Sequence[Waiting]) -> bytes:
    notice = Notice(
        clinic_name=clinic.name,
        sender_name=clinic.sender_name or clinic.name,
        sender_address=clinic.email,
        recipient=clinic.reply_to or clinic.email,
        language=language_of(clinic.language),
        counts=Counter(kind.value for _, kind in said),
        command=f"reminders requests list --clinic {clinic.slug}",
    )
    name = message_id(worker.keys.message_seed(f"notice:{clinic.id}:{said[-1][0]}:{len(said)}"), clinic.email)
    content = write_notice(notice, [kind.value for kind in ORDER], name, worker.clock.now())
    return worker.sign(content, sender_domain(clinic.email))


def _handed_over(way: Way, clinic: Clinic, content: bytes) -> Outcome:
    session = way.transport.connect()
    outcome = hand_over(session, clinic.email, clinic.reply_to or clinic.email, content)
    session.close()
    return outcome
