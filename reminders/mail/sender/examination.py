"""Examines what the name service says of one sender: SPF, DKIM, DMARC, alignment, and where answers and bounces arrive.

Invariants: nothing is said to be missing that merely could not be asked; one examination ends within its time; reserved
names (RFC 2606, RFC 6761) are never asked about, since nobody can own them.
"""

from collections.abc import Iterator, Sequence

from reminders.mail.sender.dkim_check import dkim_findings
from reminders.mail.sender.dmarc_check import DmarcReport, dmarc_findings, examine_dmarc
from reminders.mail.sender.finding import ASK_AGAIN, Sender, SenderFinding, look_at, right, wrong
from reminders.mail.sender.name_service import Address, Answer, Fault, NameService
from reminders.mail.sender.spf import examine_spf
from reminders.mail.sender.spf_check import relay_addresses, spf_findings, spf_passes

RESERVED = ("test", "example", "invalid", "localhost", "example.com", "example.net", "example.org")
EXCHANGES_LOOKED_AT = 3


def examine_sender(names: NameService, sender: Sender) -> tuple[SenderFinding, ...]:
    """Return everything there is to say of a sender; the time of the examination begins here."""
    if is_reserved(sender.domain):
        return (
            look_at("", "not looked at: a reserved name, which can be nobody's", "give the clinic its own address"),
        )
    names.begin()
    return tuple(_all(names, sender))


def is_reserved(domain: str) -> bool:
    """Tell whether a domain is one of those that stand for nobody."""
    return any(domain == name or domain.endswith(f".{name}") for name in RESERVED)


def _all(names: NameService, sender: Sender) -> Iterator[SenderFinding]:
    if all(names.texts(place).fault is Fault.SILENT for place in (sender.domain, f"_dmarc.{sender.domain}")):
        advice = "mend the machine's resolver, or name another with REMINDERS_DNS or --resolver"
        yield look_at("", "not looked at: the resolver does not answer", advice)
        return
    relay = relay_addresses(names, sender.relay)
    spf = examine_spf(names, sender.domain, relay)
    yield from spf_findings(spf, sender, relay)
    signed = list(dkim_findings(names, sender))
    yield from signed
    dmarc = examine_dmarc(names, sender.domain)
    yield from dmarc_findings(dmarc, sender)
    key_is_right = any(finding.ok for finding in signed)
    yield from _alignment(dmarc, sender, spf=spf_passes(spf), dkim=key_is_right)
    yield _receives(names, "bounces", sender.domain, "mail that comes back is lost")
    for domain in sender.reply_domains:
        if domain != sender.domain and not is_reserved(domain):
            yield _receives(names, f"replies to {domain}", domain, "patients' answers are lost")


def _alignment(dmarc: DmarcReport, sender: Sender, *, spf: bool, dkim: bool) -> Iterator[SenderFinding]:
    """Say whether mail passes DMARC: what we send has one domain in envelope, From and our own signature's d=."""
    if dmarc.found_at is None or dmarc.problem is not None:
        return
    by = [name for name, passes in (("SPF", spf), ("DKIM", dkim)) if passes]
    if by:
        said = f"mail passes by {' and '.join(by)}: envelope, From and signature name the same domain"
        yield right("DMARC alignment", said)
        return
    exactly = f"exactly {sender.domain} (adkim=s)" if dmarc.strict_dkim else f"{sender.domain} or a domain above it"
    said = "from here it cannot be told: it depends on what the mail server does"
    advice = f"it passes if the mail server signs with d= {exactly}, or its sending address is in the SPF record"
    yield look_at("DMARC alignment", said, advice)


def _receives(names: NameService, about: str, domain: str, otherwise: str) -> SenderFinding:
    """Say whether a domain can take mail: by its MX, else by its own address (RFC 5321 5.1), not with a null MX."""
    exchanges = names.exchanges(domain)
    advice = f"make an MX record for {domain}, or use an address of a domain that takes mail"
    if exchanges.values:
        hosts = [one.host for one in exchanges.values if one.host]
        if not hosts:
            said = f"{domain} says that it takes no mail (null MX): {otherwise}"
            return wrong(about, said, advice)
        reached = [names.addresses(host) for host in hosts[:EXCHANGES_LOOKED_AT]]
        if all(answer.missing for answer in reached):
            said = f"the mail servers named for {domain} do not exist: {otherwise}"
            return wrong(about, said, f"mend the MX records of {domain}")
        if _inside(reached):
            said = f"the mail servers named for {domain} have addresses of a private net alone: {otherwise}"
            return look_at(about, said, f"mend the MX records of {domain}, unless only your own net writes to it")
        return right(about, f"{domain} takes mail")
    if exchanges.unknown:
        return look_at(about, f"not known: {exchanges.fault}", ASK_AGAIN)
    own = names.addresses(domain)
    if _inside([own]):
        said = f"{domain} has no MX record, and an address of a private net alone: {otherwise}"
        return look_at(about, said, advice)
    if own.values:
        return right(about, f"{domain} takes mail at its own address; it has no MX record")
    if own.unknown:
        return look_at(about, f"not known: {own.fault}", ASK_AGAIN)
    return wrong(about, f"{domain} has no mail server: {otherwise}", advice)


def _inside(answers: Sequence[Answer[Address]]) -> bool:
    """Tell whether all addresses are of this machine or a private net, where mail from elsewhere never arrives."""
    found = [address for answer in answers for address in answer.values]
    return bool(found) and not any(address.is_global for address in found)
