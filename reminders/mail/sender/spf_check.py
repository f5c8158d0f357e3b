"""Says what is right and wrong with a sender's SPF record, and whether the mail server may send for it.

Invariant: that the mail server's own address is missing is no fault by itself: relays send on from other machines.
"""

import ipaddress
from collections.abc import Iterator

from reminders.mail.sender.finding import ASK_AGAIN, Entry, Sender, SenderFinding, look_at, right, wrong
from reminders.mail.sender.name_service import Address, NameService, printable
from reminders.mail.sender.spf import MOST_LOOKUPS, MOST_VOIDS, Result, SpfReport

ABOUT = "SPF"
_ASK = "ask whoever runs your mail server which include: it names"
_SEE = "send a test mail with `reminders doctor --mail` to a mailbox elsewhere, and look for spf=pass in its headers"


def spf_findings(report: SpfReport, sender: Sender, relay: tuple[Address, ...]) -> Iterator[SenderFinding]:
    """Yield what there is to say of the record of the sender's domain, and of the `relay` addresses under it."""
    if report.fault is not None and not report.fault.certain:
        yield look_at(ABOUT, f"not known: {report.fault}", ASK_AGAIN)
    elif not report.records:
        said = "there is no SPF record: receivers cannot tell that your mail server may send for this domain"
        yield wrong(ABOUT, said, f"make this entry; {_ASK}", _wanted(sender, relay))
    elif len(report.records) > 1:
        said = f"there are {len(report.records)} SPF records, and receivers refuse all of them"
        yield wrong(ABOUT, said, "put what they list into one TXT record, and take the others away")
    else:
        yield _record(report, sender)
        yield _relay(report, sender, relay)


def spf_passes(report: SpfReport) -> bool:
    """Tell whether mail handed to the sender's relay is known to pass: all its addresses do, and the record holds."""
    return not report.problems and set(report.results.values()) == {Result.PASS}


def relay_addresses(names: NameService, host: str | None) -> tuple[Address, ...]:
    """Return the public addresses of the mail server; none where it is a folder, this machine, or on a private net."""
    if host is None:
        return ()
    try:
        found: tuple[Address, ...] = (ipaddress.ip_address(host),)
    except ValueError:
        found = () if host == "localhost" else names.addresses(host).values
    return tuple(address for address in found if address.is_global)


def _wanted(sender: Sender, relay: tuple[Address, ...]) -> Entry:
    allowed = f"a:{sender.relay}" if relay and sender.relay else "include:THE-NAME-YOUR-MAIL-SERVER-GIVES"
    if relay and sender.relay and _is_address(sender.relay):
        allowed = " ".join(f"ip{address.version}:{address}" for address in relay)
    return Entry(sender.domain, "TXT", f"v=spf1 {allowed} ~all")


def _is_address(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def _record(report: SpfReport, sender: Sender) -> SenderFinding:
    mend = f"mend the TXT record of {sender.domain}, now {printable(report.records[0])}"
    if report.problems:
        said = f"receivers refuse the record: {'; '.join(report.problems[:3])}"
        return wrong(ABOUT, said, mend)
    if _nobody_may_send(report):
        said = "the record says that nobody may send for this domain"
        return wrong(ABOUT, said, f"{mend}: name your mail server in it; {_ASK}")
    if report.open_to_all:
        said = "the record lets anybody at all send for this domain (+all, or as good as that)"
        return wrong(ABOUT, said, f"{mend}: let it end in ~all or -all")
    if report.ends in (None, Result.NEUTRAL) and not report.redirected:
        said = "the record does not say what to do with everybody else's mail"
        return look_at(ABOUT, said, f"{mend}: let it end in ~all or -all")
    cost = f"{report.lookups} of {MOST_LOOKUPS} look-ups, {report.voids} of {MOST_VOIDS} of them void"
    return right(ABOUT, f"one record, {cost}")


def _nobody_may_send(report: SpfReport) -> bool:
    """Tell whether the record has no mechanism but its end: the standard's way to say that a domain sends no mail."""
    return report.records[0].lower().split()[1:] in (["-all"], ["~all"])


def _relay(report: SpfReport, sender: Sender, relay: tuple[Address, ...]) -> SenderFinding:
    about = "SPF of the mail server"
    if not relay:
        said = "not looked at: no public address of the mail server is known here"
        return look_at(about, said, _SEE)
    if report.problems:
        return wrong(about, "no mail passes while the record is refused", "mend the SPF record first")
    results = set(report.results.values())
    if results == {Result.PASS}:
        return right(about, f"{sender.relay} may send for {sender.domain}")
    if Result.UNTOLD in results:
        doubts = "; ".join(report.doubts[:3]) or "a part of the record"
        return look_at(about, f"it cannot be told from here, it depends on {doubts}", _SEE)
    said = f"{sender.relay} itself is not among those who may send; it may hand mail on from machines that are"
    return look_at(about, said, f"{_SEE}; if it says fail or softfail, {_ASK}")
