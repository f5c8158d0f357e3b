"""Says what is right and wrong with the DMARC record that holds for a sender's domain (RFC 7489).

Invariant: no list of public suffixes is guessed: as the standard's successor has it, the record is looked for one label
up at a time, and the domain where it is found is named.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from reminders.mail.sender.finding import ASK_AGAIN, Entry, Sender, SenderFinding, look_at, right, wrong
from reminders.mail.sender.name_service import Fault, NameService, printable
from reminders.mail.sender.tag_list import NoTagList, read_tags

ABOUT = "DMARC"
MOST_LABELS = 8
POLICIES = ("none", "quarantine", "reject")
_MODES = ("r", "s")
_WHOLE = 100


@dataclass(frozen=True, slots=True)
class DmarcReport:
    """What was found, and where; `policy` is the one that holds for the sender's domain, None where there is none."""

    found_at: str | None = None
    fault: Fault | None = None
    records: int = 0
    problem: str | None = None
    policy: str | None = None
    reports: bool = False
    strict_dkim: bool = False
    share: int = _WHOLE


def examine_dmarc(names: NameService, domain: str) -> DmarcReport:
    """Look at `_dmarc` of the domain, then of each domain above it that is no top-level one."""
    labels = domain.split(".")
    for start in range(max(len(labels) - 1, 1)):
        if 0 < start <= len(labels) - MOST_LABELS:
            continue
        place = ".".join(labels[start:])
        answer = names.texts(f"_dmarc.{place}")
        if answer.unknown:
            return DmarcReport(fault=answer.fault)
        records = [text for text in answer.values if text.strip(" \t")[:8].lower() == "v=dmarc1"]
        if records:
            return _read(records, place, below=place != domain)
    return DmarcReport()


def dmarc_findings(report: DmarcReport, sender: Sender) -> Iterator[SenderFinding]:
    """Yield what there is to say of the record."""
    if report.fault is not None:
        yield look_at(ABOUT, f"not known: {report.fault}", ASK_AGAIN)
    elif report.found_at is None:
        said = "there is no DMARC record: large receivers refuse or hide what comes from such domains in numbers"
        advice = "make this entry; with rua=mailto:ADDRESS in it, receivers report what they see in your name"
        yield wrong(ABOUT, said, advice, Entry(f"_dmarc.{sender.domain}", "TXT", "v=DMARC1; p=none"))
    elif report.problem is not None:
        advice = f"mend the TXT record of _dmarc.{report.found_at}"
        yield wrong(ABOUT, f"receivers pass the record over: {report.problem}", advice)
    else:
        yield _policy(report, sender)


def _policy(report: DmarcReport, sender: Sender) -> SenderFinding:
    inherited = "" if report.found_at == sender.domain else f", from the record of {report.found_at}"
    said = f"the policy is {report.policy}{inherited}"
    advice = []
    if report.policy == "none":
        said += ": receivers let forged mail through, and count it"
        advice.append("once the reports show no mail of yours that fails, change p to quarantine")
    if report.share < _WHOLE:
        said += f", for {report.share} % of the mail"
    if not report.reports:
        said += ", and nobody gets reports"
        advice.append("add rua=mailto:ADDRESS, to learn who sends in your name")
    wanting = " and ".join(advice)
    return look_at(ABOUT, said, wanting) if wanting else right(ABOUT, said)


def _read(records: list[str], place: str, *, below: bool) -> DmarcReport:
    if len(records) > 1:
        return DmarcReport(place, records=len(records), problem=f"there are {len(records)} of them")
    try:
        tags = read_tags(records[0])
    except NoTagList as error:
        return DmarcReport(place, records=1, problem=str(error))
    policy = tags.get("p", "").lower()
    reports = [address.strip() for address in tags.get("rua", "").split(",") if address.strip()]
    problem = _problem(tags, policy, reports)
    if policy not in POLICIES:
        policy = "none"  # what receivers make of it where reports are asked for (RFC 7489 6.6.3)
    if below and tags.get("sp", "").lower() in POLICIES:
        policy = tags["sp"].lower()
    share = int(tags.get("pct", "100")) if problem is None else _WHOLE
    strict = tags.get("adkim", "r").lower() == "s"
    return DmarcReport(place, None, 1, problem, policy, bool(reports), strict, share)


def _problem(tags: dict[str, str], policy: str, reports: list[str]) -> str | None:
    if next(iter(tags)) != "v" or tags["v"] != "DMARC1":
        return "it does not begin with v=DMARC1"
    if policy not in POLICIES and not (reports and "p" not in tags):
        return f"its policy p={printable(policy)} is none of none, quarantine, reject"
    for name, allowed in (("sp", POLICIES), ("adkim", _MODES), ("aspf", _MODES)):
        if name in tags and tags[name].lower() not in allowed:
            return f"{name}={printable(tags[name])} is none of {', '.join(allowed)}"
    if any(not report.lower().startswith("mailto:") for report in reports):
        return "rua names something other than mailto: addresses"
    share = tags.get("pct", "100")
    if not (share.isascii() and share.isdigit() and len(share) <= len("100") and int(share) <= _WHOLE):
        return "pct is no number from 0 to 100"
    return None
