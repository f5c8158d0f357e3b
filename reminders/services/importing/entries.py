"""Enters many treatments at once, each in its episode, with a handful of statements instead of several per entry.

Invariant: it finds and begins the same episodes as entering them one by one (`record.enter`), which a test compares.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence

from reminders.domain.facts import Kind
from reminders.services.record import Entry
from reminders.store import treatments
from reminders.store.database import Transaction
from reminders.store.treatments import EpisodeRow

Run = tuple[int, str, dt.date]
"""A patient, a line, and the day on which the run of its clock begins."""


def enter_many(tx: Transaction, clinic_id: int, entries: Sequence[Entry]) -> list[int]:
    """Record entries of one clinic and return their ids; the caller plans the patients.

    A treatment belongs to the episode whose live entries have its line and day, else to an episode of that day that
    has lost its entries, else to a new one.
    """
    runs = {_run(entry) for entry in entries if entry.kind is Kind.TREATMENT}
    there = _episodes(tx, {patient_id for patient_id, _, _ in runs})
    episodes = {run: episode.id for run, episode in there.items()}
    told = {episode.id: (episode.line, episode.continues_id) for episode in there.values()}
    missing = sorted(runs - episodes.keys())
    begun = treatments.add_episodes(tx, clinic_id, missing)
    episodes |= zip(missing, begun, strict=True)
    told |= {key: (line, None) for key, (_, line, _) in zip(begun, missing, strict=True)}
    return treatments.add_treatments(
        tx,
        clinic_id,
        [
            (
                entry.patient_id,
                episodes[_run(entry)] if entry.kind is Kind.TREATMENT else None,
                entry.protocol.code,
                entry.day,
                entry.kind,
                entry.practitioner_id,
                entry.ref,
            )
            for entry in entries
        ],
        told,
    )


def _run(entry: Entry) -> Run:
    return entry.patient_id, entry.protocol.clock, entry.day


def _episodes(tx: Transaction, patient_ids: Iterable[int]) -> dict[Run, EpisodeRow]:
    """Return the patients' episodes by the day of their live entries, and vacant ones by their first day."""
    ids = sorted(patient_ids)
    days: dict[int, dt.date] = {}
    for row in treatments.treatments_of(tx, ids):
        if row.episode_id is not None:
            days[row.episode_id] = row.day
    living: dict[Run, list[EpisodeRow]] = defaultdict(list)
    vacant: dict[Run, list[EpisodeRow]] = defaultdict(list)
    for episode in treatments.episodes_of(tx, ids):
        if episode.id in days:
            living[episode.patient_id, episode.line, days[episode.id]].append(episode)
        else:
            vacant[episode.patient_id, episode.line, episode.first_day].append(episode)
    return {run: found[0] for run, found in vacant.items()} | {run: found[0] for run, found in living.items()}
