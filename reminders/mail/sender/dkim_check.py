"""Says what is right and wrong with the DKIM records of a sender's keys, and who has to sign where we have none.

Invariant: a record is only right if it holds the very key that signs.
"""

from collections.abc import Iterator

from reminders.mail.sender.dkim_record import GOOD_KEY, KeyRecord, key_entry, read_key_record, record_name
from reminders.mail.sender.finding import ASK_AGAIN, Sender, SenderFinding, SigningKey, look_at, right, wrong
from reminders.mail.sender.name_service import NameService

ABOUT = "DKIM"


def dkim_findings(names: NameService, sender: Sender) -> Iterator[SenderFinding]:
    """Yield a finding for each key that signs or waits; one about the mail server where none signs."""
    for key in sender.keys:
        yield key_finding(names, sender, key)
    if not any(key.active for key in sender.keys):
        said = f"the product does not sign for this domain: the mail server has to, with d={sender.domain}"
        advice = (
            "send a test mail with `reminders doctor --mail` to a mailbox elsewhere, and look for dkim=pass with "
            f"header.d={sender.domain} in its headers; or let the product sign: "
            f"`reminders sender key --clinic {sender.clinic}`"
        )
        yield look_at(ABOUT, said, advice)


def key_finding(names: NameService, sender: Sender, key: SigningKey) -> SenderFinding:
    """Return what there is to say of one key's record."""
    about = f"{ABOUT} key {key.selector}"
    entry = key_entry(key.selector, sender.domain, key.public_key)
    answer = names.texts(entry.name)
    if answer.unknown:
        return look_at(about, f"not known: {answer.fault}", ASK_AGAIN)
    if not answer.values:
        return _missing(about, sender, key)
    records = [read_key_record(text) for text in answer.values]
    fault = _fault(records, key)
    if fault is not None:
        signs = "; what is signed with it fails" if key.active else ""
        advice = "let exactly this stand there"
        return (wrong if key.active else look_at)(about, f"{fault}{signs}", advice, entry)
    [record] = records
    if record.testing:
        advice = "take t=y out of the record: receivers treat what it signed as unsigned"
        return look_at(about, "the record says that it is only tried out", advice)
    if record.bits is not None and record.bits < GOOD_KEY:
        advice = "make a new one of 2048 bits, `reminders sender key`, and activate it"
        return look_at(about, f"the key has {record.bits} bits, which is short", advice)
    if not key.active:
        advice = (
            f"`reminders sender activate --clinic {sender.clinic} --selector {key.selector}` begins to sign with it"
        )
        return look_at(about, "the record is right, and the key is not used yet", advice)
    return right(about, "the record holds the key that signs")


def record_fault(names: NameService, domain: str, key: SigningKey) -> str | None:
    """Return why receivers cannot check what this key signs; None where its record is right."""
    answer = names.texts(record_name(key.selector, domain))
    if answer.unknown:
        return f"nobody can tell whether its record is right, {answer.fault}"
    if not answer.values:
        return "its record is not there yet"
    records = [read_key_record(text) for text in answer.values]
    tried_out = "the record says that it is only tried out (t=y)" if records[0].testing else None
    return _fault(records, key) or tried_out


def _missing(about: str, sender: Sender, key: SigningKey) -> SenderFinding:
    entry = key_entry(key.selector, sender.domain, key.public_key)
    if key.active:
        said = "mail is signed with it, but its record is not there, so receivers find every signature wrong"
        return wrong(about, said, "make this entry", entry)
    advice = f"make this entry, then `reminders sender activate --clinic {sender.clinic}`"
    return look_at(about, "it waits for its record, which is not there yet", advice, entry)


def _fault(records: list[KeyRecord], key: SigningKey) -> str | None:
    if len(records) > 1:
        return f"{len(records)} records stand at its name, and receivers may take any"
    [record] = records
    if record.problem is not None:
        return f"the record cannot be used: {record.problem}"
    if record.revoked:
        return "the record revokes the key (p= is empty)"
    return None if record.key == key.public_key else "the record holds another key"
