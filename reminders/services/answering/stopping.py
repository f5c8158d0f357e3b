"""Stops messages as a patient asks through a link, and lifts exactly that again.

Invariants: what somebody else recorded (staff's opt-out, a bounce, a complaint, an erasure) is never lifted here; what
another reader of the same address stopped stays stopped; at a former address the patient's own opt-out stays.
"""

from collections.abc import Collection

from reminders.domain.answers import AnswerKind
from reminders.domain.facts import OPT_OUT_ALL
from reminders.domain.lifecycle import Reason
from reminders.domain.protocol import TreatmentClass
from reminders.services.answering.asked import Asked
from reminders.store import answers, contacts, patients
from reminders.store.answers import Said, Stop, StoredAnswer, Words
from reminders.store.database import Transaction
from reminders.store.patients import Patient


def stop_writing(tx: Transaction, found: Asked, *, everything: bool) -> bool:
    """Opt the patient out of the message's class or of everything, and suppress the address it went to.

    False when that was asked for through this message already, and stands.
    """
    scope = OPT_OUT_ALL if everything else found.link.class_name.value
    # "this is not me" stops the same address, but it can be taken back alone: it is no answer to this
    asked_before = (answer.stop for answer in found.through_link if answer.kind is AnswerKind.STOPPED)
    if any(stop.scope in (scope, OPT_OUT_ALL) for stop in asked_before if stop):
        return False
    others = _stops(found.standing)
    added = contacts.add_opt_out(tx, found.patient, scope)
    stop = Stop(scope, added or any(s.patient and s.scope == scope for s in others), _suppress(tx, found, scope))
    asks_staff = scope != TreatmentClass.COSMETIC  # a clinician is told when a course of treatment goes unreminded
    said = Said(AnswerKind.STOPPED, found.link.message_pk, stop=stop, asks_staff=asks_staff)
    answers.add_answer(tx, found.patient, said)
    return True


def not_this_person(tx: Transaction, found: Asked, words: Words) -> None:
    """Never write to this address again: it is somebody else's. A new address brings the reminders back."""
    stop = Stop(OPT_OUT_ALL, address=_suppress(tx, found, OPT_OUT_ALL))
    answers.add_answer(tx, found.patient, Said(AnswerKind.WRONG_PERSON, found.link.message_pk, stop=stop), words)


def write_again(tx: Transaction, found: Asked, kind: AnswerKind) -> bool:
    """Lift what this patient's answers of the kind stopped, as far as the link reaches; False where it reaches none.

    What was said at another address keeps that address stopped: only its opt-out of the patient goes.
    """
    mine = to_lift(found, kind)
    here = [answer for answer in mine if found.said_here(answer)]
    answers.withdraw_answers(tx, here)
    for answer in mine:
        if answer not in here:
            answers.part_from(tx, answer, patient=True)
    for scope in sorted({stop.scope for stop in _stops(mine) if stop.patient}):
        contacts.remove_opt_out(tx, found.patient, scope)
    _lift(tx, found, {stop.scope for stop in _stops(here) if stop.address})
    return bool(mine)


def to_lift(found: Asked, kind: AnswerKind) -> list[StoredAnswer]:
    """Return the patient's standing answers of the kind that this link may lift, oldest first.

    They are about its message's class or everything, and were given through whichever message to its address: to a
    reader it is one wish. The present address also lifts the patient's opt-outs said elsewhere, a former one none.
    """
    reach = (found.link.class_name.value, OPT_OUT_ALL)
    said = [answer for answer in found.standing if answer.kind is kind and answer.stop and answer.stop.scope in reach]
    if found.former:
        return [answer for answer in said if found.said_here(answer) and answer.stop and not answer.stop.patient]
    return [answer for answer in said if found.said_here(answer) or (answer.stop and answer.stop.patient)]


def stopped_scopes(tx: Transaction, found: Asked) -> frozenset[str]:
    """Return what the reader is not written to about any more, as somebody asked.

    At the patient's present address that is also what the patient opted out of; at a former one only what that address
    stopped, for nothing else is its reader's to know.
    """
    key = found.link.address_key if found.former else found.patient.address_key
    kept = contacts.suppressions_of(tx, found.clinic.id, key) if key else []
    stopped = frozenset(one.scope for one in kept if one.reason is Reason.OPTED_OUT)
    return stopped if found.former else stopped | contacts.opt_outs(tx, found.patient.id)


def keep_for_staff(tx: Transaction, patient: Patient, scope: str) -> None:
    """Let staff's own opt-out of a scope outlast what patients stopped themselves and take back later.

    That holds for the patient's stops, and for those that anybody said at the patient's address.
    """
    for answer in answers.standing(tx, patient.id):
        if answer.stop and answer.stop.scope == scope:
            answers.part_from(tx, answer, patient=True)
    if patient.address_key is None:
        return
    for answer in answers.standing_at(tx, patient.clinic_id, patient.address_key):
        if answer.stop and answer.stop.scope == scope:
            answers.part_from(tx, answer, address=True)


def forget_stops(tx: Transaction, patient: Patient, scopes: Collection[str]) -> None:
    """Take back the patient's own stops of these scopes, whose effect staff have lifted."""
    said = [answer for answer in answers.standing(tx, patient.id) if answer.stop and answer.stop.scope in scopes]
    answers.withdraw_answers(tx, said)


def readers(tx: Transaction, found: Asked) -> list[int]:
    """Return the patients whom a stop through this message concerns: its own, and all whose mail goes there."""
    key = found.link.address_key
    others = patients.patients_by_address_keys(tx, found.clinic.id, [key]) if key else []
    return sorted({found.patient.id, *(other.id for other in others)})


def _suppress(tx: Transaction, found: Asked, scope: str) -> bool:
    """Suppress the address; true when such answers alone are the cause, so that taking them back lifts it."""
    key = found.link.address_key
    if key is None:
        return False
    before = answers.standing_at(tx, found.clinic.id, key)
    added = contacts.suppress(tx, found.clinic.id, key, scope, Reason.OPTED_OUT)
    return added or any(stop.address and stop.scope == scope for stop in _stops(before))


def _lift(tx: Transaction, found: Asked, scopes: Collection[str]) -> None:
    """Lift the suppression of the address, unless another answer through it still asks for it."""
    key = found.link.address_key
    if key is None:
        return
    wanted = {stop.scope for stop in _stops(answers.standing_at(tx, found.clinic.id, key))}
    for scope in sorted(set(scopes) - wanted):
        contacts.lift_suppression(tx, found.clinic.id, key, scope, Reason.OPTED_OUT)


def _stops(said: Collection[StoredAnswer]) -> list[Stop]:
    return [answer.stop for answer in said if answer.stop is not None]
