"""Checkpoints of the audit trail: small signed notes, kept elsewhere, of how far it had come and what it accounted for.

A chain shows every change but a cut at its end, and nothing shows a database that was put back whole. A checkpoint that
left the machine does: whoever holds it can ask later whether the trail still continues from there.

Invariant: a checkpoint names no person and no clinic, is readable by its owner alone, and never replaces a file that is
no checkpoint of this installation, nor one from which the trail does not continue.
"""

import contextlib
import datetime as dt
import hmac
import json
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from reminders.domain.lifecycle import State
from reminders.errors import BadInput, CannotDo
from reminders.services.auditing.tables import COPY
from reminders.services.finding import Finding
from reminders.store import reports
from reminders.store.audit_trail import Verified, code_of, entries, sign
from reminders.store.database import Transaction
from reminders.store.installation import installation

KIND = "reminders audit checkpoint, version 1"
LARGEST = 64 * 1024
_ONLY_GROW = frozenset({State.SENT, State.BOUNCED, State.EXPIRED})
_GO_ON = (
    "ask who unlocked it whether that is true, and find out what was recorded and sent in what is lost; then go on with"
    " `reminders audit --checkpoint FILE`, naming a new file, and keep this one as evidence"
)
_CUT = "keep a copy of the database; find out what happened since, and restore the newest backup that passes this check"


class NotACheckpoint(BadInput):
    """{path} is no checkpoint of an audit trail: name one that `reminders audit --checkpoint` wrote, or a new file."""


class NoSuchCheckpoint(BadInput):
    """There is no file {path}: name a checkpoint that `reminders audit --checkpoint` wrote."""


class CheckpointForged(BadInput):
    """The checkpoint {path} was changed since it was written, or another key signed it: use an untouched copy of it."""


class CheckpointOfAnother(BadInput):
    """The checkpoint {path} belongs to another installation: name one that this installation wrote."""


class CheckpointUnwritable(CannotDo):
    """The checkpoint could not be written to {path}: {problem}. Name a file where the program may write."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The trail's last entry when it was taken (0: none): its code and moment; and the reminders by state."""

    installation: str
    entry: int
    code: str
    entered_at: str | None
    taken_at: str
    states: Mapping[str, int]

    @property
    def named(self) -> str:
        """Return how a finding names it."""
        return f"the checkpoint of {self.taken_at} at entry {self.entry}"


def take(tx: Transaction, verified: Verified) -> Checkpoint:
    """Return a checkpoint of a trail that was just followed to its end."""
    found = installation(tx)
    return Checkpoint(
        installation=found.installation_id if found else "",
        entry=verified.number,
        code=verified.mac,
        entered_at=_moment(verified.at),
        taken_at=_moment(tx.now) or "",
        states=dict(sorted(reports.count_states(tx).items())),
    )


def continues(tx: Transaction, checkpoint: Checkpoint, last: int, *, whole: bool = True) -> Iterator[Finding]:
    """Promise 10: the trail, which now ends at the entry `last`, still goes on from where the checkpoint saw it.

    Where it does not, a person's word that an older copy was put back is told, and how to go on; it stays a finding,
    for whoever looks knows best whether that word was true. A trail that is not `whole` is not asked for it.
    """
    if last < checkpoint.entry:
        problem = f"the audit trail ends at entry {last}, and {checkpoint.named} saw more: "
        guess = "its end was cut off, or the database was put back to an older copy"
    elif checkpoint.entry and code_of(tx, checkpoint.entry) != checkpoint.code:
        problem = f"entry {checkpoint.entry} of the audit trail is not the one that {checkpoint.named} saw: "
        guess = "the trail was written anew, or the database was put back and went on from there"
    else:
        yield from _fewer(tx, checkpoint)
        return
    told = _put_back(tx, checkpoint) if whole else None
    yield Finding(10, None, None, None, problem + (told or guess), _GO_ON if told else _CUT)


def _put_back(tx: Transaction, checkpoint: Checkpoint) -> str | None:
    """Return what a person said after the checkpoint was taken of an older copy that was put back; None for nothing.

    Only the trail can tell it, whose entries are signed; and only of what the checkpoint cannot have seen itself.
    """
    said = [
        entry for entry in entries(tx, subject="installation", action="unlock") if entry.told.get("as") == "restored"
    ]
    for entry in said:
        if (_moment(entry.at) or "") < checkpoint.taken_at:
            continue
        held, seen = entry.told.get("entry"), entry.told.get("seen")
        lost = [number for number in (checkpoint.entry, seen) if isinstance(number, int)]
        first = held + 1 if isinstance(held, int) and held < max(lost) else None
        gone = f"entries {first} to {max(lost)}" if first else f"entries up to {max(lost)}"
        return (
            f"on {_moment(entry.at)} `unlock --as restored` said that an older copy was put back (entry {entry.id},"
            f" for the reason {entry.told.get('why')}); {gone} of the trail before are lost, and maybe later ones"
        )
    return None


def _fewer(tx: Transaction, checkpoint: Checkpoint) -> Iterator[Finding]:
    """Yield what was final then and is not there any more; a sent one may have come back since."""
    now, then = reports.count_states(tx), checkpoint.states
    for names in ((State.SENT, State.BOUNCED), (State.EXPIRED,), tuple({*now, *then})):
        before, after = (sum(counted.get(str(name), 0) for name in names) for counted in (then, now))
        if after < before:
            what = " or ".join(names) if set(names) <= _ONLY_GROW else "stored"
            problem = f"{after} reminders are {what}, and {checkpoint.named} saw {before}"
            yield Finding(2, None, None, None, problem, COPY)


def write(path: Path, checkpoint: Checkpoint, key: bytes) -> None:
    """Write a checkpoint, mode 0600, whole or not at all; the caller has read what stands at `path`.

    Raises `CheckpointUnwritable`, and `NotACheckpoint` where a file has appeared there meanwhile.
    """
    fields = {"kind": KIND, **asdict(checkpoint)}
    text = json.dumps({**fields, "signature": sign(key, KIND, _canonical(fields))}, indent=2) + "\n"
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    known = path.exists()
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if known:
            unfinished.replace(path)
        else:
            os.link(unfinished, path)  # unlike a rename, it refuses a name that is taken
            unfinished.unlink()
    except (OSError, ValueError) as error:
        with contextlib.suppress(OSError, ValueError):
            unfinished.unlink(missing_ok=True)
        if isinstance(error, FileExistsError):
            raise NotACheckpoint(path=path) from None
        raise CheckpointUnwritable(path=path, problem=getattr(error, "strerror", None) or "no such name") from None


def read(path: Path, of: str, keys: Sequence[bytes]) -> Checkpoint:
    """Return the checkpoint in a file, signed by one of `keys`, of the installation `of`.

    Raises `NoSuchCheckpoint`, `NotACheckpoint`, `CheckpointForged` or `CheckpointOfAnother`.
    """
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(LARGEST))
        signature = str(document.pop("signature"))
        kind = document.pop("kind")
        checkpoint = Checkpoint(**document)
    except FileNotFoundError:
        raise NoSuchCheckpoint(path=path) from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise NotACheckpoint(path=path) from None
    if kind != KIND:
        raise NotACheckpoint(path=path)
    text = _canonical({"kind": kind, **document})
    if not any(hmac.compare_digest(signature.encode(), sign(key, KIND, text).encode()) for key in keys):
        raise CheckpointForged(path=path)
    if checkpoint.installation != of:
        raise CheckpointOfAnother(path=path)
    return checkpoint


def _canonical(fields: Mapping[str, object]) -> str:
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _moment(at: dt.datetime | None) -> str | None:
    return at.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z" if at else None
