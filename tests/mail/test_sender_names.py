"""What is found about a sender's entries in the name service: situations real domains are in, and hostile ones."""

import time
from collections.abc import Iterator

import pytest

from reminders.mail.sender import dkim
from reminders.mail.sender.examination import examine_sender
from reminders.mail.sender.finding import Entry, Sender
from tests.mail.senders import (
    DMARC,
    DOMAIN,
    KEY,
    RELAY,
    SELECTOR,
    SPF,
    Changes,
    findings,
    private_key,
    short_public_key,
    signing_key,
)
from tests.support.name_server import NameServer, Rude, text

OK, LOOK, WRONG = True, None, False
OUR_KEY = dkim.public_key(private_key())
RELAYED = "SPF of the mail server"


@pytest.fixture(scope="module")
def running() -> Iterator[NameServer]:
    with NameServer() as server:
        yield server


@pytest.fixture
def server(running: NameServer) -> NameServer:
    running.asked.clear()
    return running


def spf(*records: str, **others: str) -> Changes:
    """Return these SPF records; `others` are further names' TXT records, with __ for the dot."""
    further = {(f"{name.replace('__', '.')}", "TXT"): [text(value)] for name, value in others.items()}
    return {SPF: [text(record) for record in records], **further}


def dmarc(*records: str) -> Changes:
    return {DMARC: [text(record) for record in records]}


def key(*records: str) -> Changes:
    return {KEY: [text(record) for record in records]}


SELF_INCLUDING = spf(
    "v=spf1 include:a.clinic -all", a__clinic="v=spf1 include:b.clinic", b__clinic="v=spf1 include:a.clinic"
)
MANY_LOOKUPS = spf("v=spf1 " + " ".join(f"include:i{n}.clinic" for n in range(11)) + " -all") | {
    (f"i{n}.clinic", "TXT"): [text("v=spf1 ip4:8.8.8.0/24 -all")] for n in range(11)
}
NESTED = spf("v=spf1 include:n0.clinic -all") | {
    (f"n{n}.clinic", "TXT"): [text(f"v=spf1 include:n{n + 1}.clinic -all")] for n in range(12)
}
SITUATIONS: dict[str, tuple[Changes, str, bool | None, str]] = {
    # SPF
    "no SPF record": ({SPF: None}, "SPF", WRONG, "there is no SPF record"),
    "TXT records, none of them SPF": (spf("v=spf2.0/pra", "v=spf10 -all"), "SPF", WRONG, "there is no SPF record"),
    "two SPF records": (spf("v=spf1 -all", "v=spf1 a -all"), "SPF", WRONG, "there are 2 SPF records"),
    "in capitals": (spf("V=SPF1 IP4:93.184.216.34 -ALL"), "SPF", OK, "one record, 0 of 10"),
    "anybody may send": (spf("v=spf1 a:mail.relay.clinic +all"), "SPF", WRONG, "anybody at all"),
    "anybody may send, without the plus": (spf("v=spf1 all"), "SPF", WRONG, "anybody at all"),
    "anybody may send through an include": (
        spf("v=spf1 include:a.clinic -all", a__clinic="v=spf1 all"),
        "SPF",
        WRONG,
        "anybody at all",
    ),
    "a network as wide as the world": (spf("v=spf1 ip4:0.0.0.0/0 -all"), "SPF", WRONG, "anybody at all"),
    "neutral at its end": (spf("v=spf1 ip4:93.184.216.34 ?all"), "SPF", LOOK, "does not say what to do"),
    "no end": (spf("v=spf1 ip4:93.184.216.34"), "SPF", LOOK, "does not say what to do"),
    "a misspelt mechanism": (spf("v=spf1 ipv4:93.184.216.34 -all"), "SPF", WRONG, "'ipv4:93.184.216.34' is no mech"),
    "an address that is none": (spf("v=spf1 ip4:93.184.216.999 -all"), "SPF", WRONG, "is no mechanism"),
    "ip6 under ip4": (spf("v=spf1 ip4:2001:db8::1 -all"), "SPF", WRONG, "is no mechanism"),
    "a prefix too long": (spf("v=spf1 a/33 -all"), "SPF", WRONG, "is no mechanism"),
    "include without a name": (spf("v=spf1 include: -all"), "SPF", WRONG, "is no mechanism"),
    "redirect twice": (spf("v=spf1 redirect=a.clinic redirect=b.clinic"), "SPF", WRONG, "redirect= stands in it twice"),
    "an unknown modifier": (spf("v=spf1 ip4:93.184.216.34 moo=oink -all"), "SPF", OK, "one record"),
    "too many look-ups": (MANY_LOOKUPS, "SPF", WRONG, "more than 10 look-ups"),
    "too many look-ups, nested": (NESTED, "SPF", WRONG, "more than 10 look-ups"),
    "an include of itself": (SELF_INCLUDING, "SPF", WRONG, "leads back to itself"),
    "an include of nothing": (spf("v=spf1 include:gone.clinic -all"), "SPF", WRONG, "leads to no SPF record"),
    "a redirect to nothing": (spf("v=spf1 redirect=gone.clinic"), "SPF", WRONG, "leads to no SPF record"),
    "three void look-ups": (spf("v=spf1 a:x.clinic a:y.clinic mx:z.clinic -all"), "SPF", WRONG, "more than 2 of its"),
    "two void look-ups": (spf("v=spf1 a:x.clinic a:y.clinic -all"), "SPF", OK, "2 of 2 of them void"),
    "what follows all is not counted": (spf("v=spf1 -all include:gone.clinic"), "SPF", OK, "0 of 10 look-ups"),
    "a redirect": (
        spf("v=spf1 redirect=_spf.clinic", _spf__clinic="v=spf1 a:mail.relay.clinic -all"),
        RELAYED,
        OK,
        "may send",
    ),
    "a server that fails": ({SPF: Rude.SERVFAIL}, "SPF", LOOK, "not known: the resolver could not find out"),
    "garbage": ({SPF: Rude.GARBAGE}, "SPF", LOOK, "not known"),
    "a loop of aliases": ({SPF: Rude.CNAME_LOOP}, "SPF", LOOK, "not known: the answer makes no sense"),
    "always cut off": ({SPF: Rude.ALWAYS_TRUNCATED}, "SPF", LOOK, "not known"),
    "control characters": (spf("v=spf1 \x1b[2J\x07 -all"), "SPF", WRONG, "'?[2J?' is no mechanism"),
    "not in ASCII": ({SPF: [text("v=spf1 a:ü.clinic -all")]}, "SPF", WRONG, "no honest record"),
    "a thousand mechanisms": (spf("v=spf1 " + "a " * 1000 + "-all"), "SPF", WRONG, "no honest record"),
    # the mail server under SPF
    "the mail server by its address": (spf("v=spf1 ip4:93.184.216.34 -all"), RELAYED, OK, "may send for linden.clinic"),
    "the mail server by its name": (spf("v=spf1 a:mail.relay.clinic -all"), RELAYED, OK, "may send"),
    "the mail server by its neighbourhood": (spf("v=spf1 a:mx.linden.clinic/24 -all"), RELAYED, OK, "may send"),
    "the mail server by MX": (spf("v=spf1 mx/24 -all"), RELAYED, OK, "may send"),
    "by exists": (spf("v=spf1 exists:mail.relay.clinic -all"), RELAYED, OK, "may send"),
    "the mail server is not listed": (spf("v=spf1 ip4:8.8.8.8 -all"), RELAYED, LOOK, "itself is not among those"),
    "the mail server is shut out first": (
        spf("v=spf1 -ip4:93.184.216.34 include:spf.relay.clinic -all"),
        RELAYED,
        LOOK,
        "itself is not among those",
    ),
    "an include that fails is no match": (
        spf("v=spf1 -include:no.clinic ip4:93.184.216.34 -all", no__clinic="v=spf1 -all"),
        RELAYED,
        OK,
        "may send",
    ),
    "a macro decides": (spf("v=spf1 exists:%{i}._spf.clinic -all"), RELAYED, LOOK, "it depends on a macro"),
    "a match before the macro": (spf("v=spf1 ip4:93.184.216.34 exists:%{i}.x.clinic -all"), RELAYED, OK, "may send"),
    "ptr decides": (spf("v=spf1 ptr -all"), RELAYED, LOOK, "ptr, which no record should use"),
    "a silent include": (
        spf("v=spf1 include:quiet.clinic -all") | {("quiet.clinic", "TXT"): Rude.SILENT},
        RELAYED,
        LOOK,
        "quiet.clinic",
    ),
    "the mail server has both kinds of addresses": (
        spf("v=spf1 a:mail.relay.clinic -all") | {(RELAY, "AAAA"): ["2606:2800:220:1::1"]},
        RELAYED,
        OK,
        "may send",
    ),
    "the mail server's other address is missing": (
        spf("v=spf1 ip4:93.184.216.34 -all") | {(RELAY, "AAAA"): ["2606:2800:220:1::1"]},
        RELAYED,
        LOOK,
        "is not among",
    ),
    "the mail server is on a private net": ({(RELAY, "A"): ["10.0.0.4"]}, RELAYED, LOOK, "no public address"),
    "nobody may send": (spf("v=spf1 -all"), "SPF", WRONG, "nobody may send"),
    "the exchange is this machine": ({("mx.linden.clinic", "A"): ["127.0.0.1"]}, "bounces", LOOK, "private net"),
    "the exchange is on a private net": ({("mx.linden.clinic", "A"): ["10.0.0.4"]}, "bounces", LOOK, "private net"),
    # DKIM
    "the key is not shown": ({KEY: None}, f"DKIM key {SELECTOR}", WRONG, "its record is not there"),
    "another key is shown": (key(f"v=DKIM1; p={short_public_key(2048)}"), f"DKIM key {SELECTOR}", WRONG, "another key"),
    "the key is revoked": (key("v=DKIM1; k=rsa; p="), f"DKIM key {SELECTOR}", WRONG, "revokes the key"),
    "the key is cut off": (key(f"v=DKIM1; p={OUR_KEY[:200]}"), f"DKIM key {SELECTOR}", WRONG, "may have been cut off"),
    "quotes inside the key": (
        key(f'v=DKIM1; p={OUR_KEY[:200]}" "{OUR_KEY[200:]}'),
        f"DKIM key {SELECTOR}",
        WRONG,
        "no base64",
    ),
    "blanks inside the key": (key(f"p={OUR_KEY[:200]} {OUR_KEY[200:]}"), f"DKIM key {SELECTOR}", OK, "holds the key"),
    "a version it cannot have": (key(f"v=DKIM2; p={OUR_KEY}"), f"DKIM key {SELECTOR}", WRONG, "begin with v=DKIM1"),
    "no key at all": (key("v=DKIM1; k=rsa"), f"DKIM key {SELECTOR}", WRONG, "it has no key"),
    "no list of tags": (key("hello world"), f"DKIM key {SELECTOR}", WRONG, "no list of tags"),
    "a tag twice": (key(f"v=DKIM1; p={OUR_KEY}; p="), f"DKIM key {SELECTOR}", WRONG, "the tag p stands in it twice"),
    "sha1 alone": (key(f"v=DKIM1; h=sha1; p={OUR_KEY}"), f"DKIM key {SELECTOR}", WRONG, "does not allow sha256"),
    "not for mail": (key(f"v=DKIM1; s=tlsrpt; p={OUR_KEY}"), f"DKIM key {SELECTOR}", WRONG, "not meant for mail"),
    "only tried out": (key(f"v=DKIM1; t=y; p={OUR_KEY}"), f"DKIM key {SELECTOR}", LOOK, "only tried out"),
    "of another kind": (key("v=DKIM1; k=ed448; p=AAAA"), f"DKIM key {SELECTOR}", WRONG, "kind of key is unknown"),
    "two records": (key(f"p={OUR_KEY}", "p="), f"DKIM key {SELECTOR}", WRONG, "2 records stand at its name"),
    "the key's server fails": ({KEY: Rude.SERVFAIL}, f"DKIM key {SELECTOR}", LOOK, "not known"),
    # DMARC
    "no DMARC record": ({DMARC: None}, "DMARC", WRONG, "there is no DMARC record"),
    "the record of the domain above": (
        {DMARC: None, ("_dmarc.clinic", "TXT"): [text("v=DMARC1; p=reject")]},
        "DMARC",
        WRONG,
        "there is no DMARC",
    ),
    "two DMARC records": (dmarc("v=DMARC1; p=none", "v=DMARC1; p=reject"), "DMARC", WRONG, "there are 2 of them"),
    "watching only": (dmarc("v=DMARC1; p=none; rua=mailto:r@linden.clinic"), "DMARC", LOOK, "the policy is none"),
    "nobody gets reports": (dmarc("v=DMARC1; p=reject"), "DMARC", LOOK, "nobody gets reports"),
    "a policy that is none of them": (dmarc("v=DMARC1; p=block"), "DMARC", WRONG, "p=block is none of"),
    "no policy": (dmarc("v=DMARC1; rua=mailto:r@linden.clinic"), "DMARC", LOOK, "the policy is none"),
    "the version is not first": (dmarc("v=DMARC1 p=none"), "DMARC", WRONG, "receivers pass the record over"),
    "reports to a web page": (dmarc("v=DMARC1; p=none; rua=https://x.clinic"), "DMARC", WRONG, "other than mailto:"),
    "a share that is no number": (dmarc("v=DMARC1; p=none; pct=all"), "DMARC", WRONG, "pct is no number"),
    "half of the mail": (
        dmarc("v=DMARC1; p=reject; pct=50; rua=mailto:r@linden.clinic"),
        "DMARC",
        OK,
        "for 50 % of the mail",
    ),
    "an alignment that is none": (dmarc("v=DMARC1; p=none; adkim=x"), "DMARC", WRONG, "adkim=x is none of"),
    "its server fails": ({DMARC: Rude.SERVFAIL}, "DMARC", LOOK, "not known"),
    "aligned by both": ({}, "DMARC alignment", OK, "passes by SPF and DKIM"),
    "aligned by DKIM alone": (spf("v=spf1 ip4:8.8.8.8 -all"), "DMARC alignment", OK, "passes by DKIM"),
    "aligned by SPF alone": ({KEY: None}, "DMARC alignment", OK, "passes by SPF"),
    "aligned by nothing that is seen": (
        {KEY: None, **spf("v=spf1 ip4:8.8.8.8 -all")},
        "DMARC alignment",
        LOOK,
        "depends on what the mail server does",
    ),
    # where mail comes back to
    "no mail server for bounces": ({(DOMAIN, "MX"): None}, "bounces", WRONG, "has no mail server"),
    "its own address takes bounces": (
        {(DOMAIN, "MX"): None, (DOMAIN, "A"): ["93.184.216.40"]},
        "bounces",
        OK,
        "at its own address",
    ),
    "a null MX": ({(DOMAIN, "MX"): ["0 ."]}, "bounces", WRONG, "takes no mail (null MX)"),
    "an MX that is not there": ({("mx.linden.clinic", "A"): None}, "bounces", WRONG, "do not exist"),
    "the MX cannot be asked": ({(DOMAIN, "MX"): Rude.SERVFAIL}, "bounces", LOOK, "not known"),
    "answers go nowhere": ({("answers.clinic", "A"): None}, "replies to answers.clinic", WRONG, "answers are lost"),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_situation_is_seen_for_what_it_is(server: NameServer, situation: str) -> None:
    changes, about, ok, said = SITUATIONS[situation]
    finding = findings(server, changes)[about]
    assert (finding.ok, said in finding.said) == (ok, True), finding
    assert finding.said.isprintable()
    assert finding.advice.isprintable()


def test_a_sender_with_everything_in_place_has_nothing_to_mend(server: NameServer) -> None:
    assert {about for about, finding in findings(server).items() if finding.ok is not True} == set()


def test_what_is_to_be_pasted_is_what_was_missing(server: NameServer) -> None:
    """Whoever makes the entries as they are printed has mended everything but the policy."""
    missing = findings(server, {SPF: None, DMARC: None, KEY: None})
    pasted = [finding.entry for finding in missing.values() if finding.entry is not None]
    assert [entry.name for entry in pasted] == [place for place, _ in (SPF, KEY, DMARC)]
    mended = findings(server, {(entry.name, entry.kind): [entry.written] for entry in pasted})
    assert {about: finding.ok for about, finding in mended.items() if finding.ok is not True} == {"DMARC": LOOK}


def test_a_long_value_is_shown_in_strings_that_a_txt_record_can_hold() -> None:
    entry = Entry("k._domainkey.linden.clinic", "TXT", f"v=DKIM1; k=rsa; p={OUR_KEY}")
    assert [len(string) for string in entry.strings] == [255, len(entry.value) - 255]
    assert "".join(entry.strings) == entry.value
    assert entry.written.count('"') == 4


def test_a_short_key_of_the_mail_servers_age_is_something_to_look_at(server: NameServer) -> None:
    old = signing_key().__class__(SELECTOR, short_public_key(1024), active=True)
    sender = Sender(DOMAIN, (), RELAY, (old,))
    found = findings(server, key(f"v=DKIM1; p={old.public_key}"), sender)[f"DKIM key {SELECTOR}"]
    assert (found.ok, found.said) == (LOOK, "the key has 1024 bits, which is short")


def test_a_key_that_waits_is_led_on_by_what_the_name_service_shows(server: NameServer) -> None:
    sender = Sender(DOMAIN, (), RELAY, (signing_key(active=False),), "linden")
    shown, missing = findings(server, sender=sender), findings(server, {KEY: None}, sender)
    assert "sender activate --clinic linden" in shown[f"DKIM key {SELECTOR}"].advice
    assert missing[f"DKIM key {SELECTOR}"].entry is not None
    assert missing[f"DKIM key {SELECTOR}"].ok is LOOK
    assert "d=linden.clinic" in missing["DKIM"].said


def test_a_policy_from_above_names_the_domain_it_comes_from(server: NameServer) -> None:
    sender = Sender("mail.north.linden.clinic", (), None)
    changes = dmarc("v=DMARC1; p=reject; sp=quarantine; rua=mailto:r@linden.clinic")
    found = findings(server, changes, sender)["DMARC"]
    assert (found.ok, found.said) == (OK, "the policy is quarantine, from the record of linden.clinic")


def test_a_name_of_many_labels_costs_few_questions(server: NameServer) -> None:
    findings(server, sender=Sender(f"{'a.' * 60}{DOMAIN}", (), None))
    assert len([name for name, _ in server.asked if name.startswith("_dmarc.")]) <= 9


def test_without_a_mail_server_only_the_record_is_judged(server: NameServer) -> None:
    found = findings(server, sender=Sender(DOMAIN, (), None))
    assert found["SPF"].ok is OK
    assert found["SPF of the mail server"].ok is LOOK


@pytest.mark.parametrize(
    "domain", ["linden.test", "a.b.example", "x.invalid", "localhost", "example.com", "m.example.org"]
)
def test_a_reserved_name_is_not_asked_about(server: NameServer, domain: str) -> None:
    [found] = examine_sender(server.names(), Sender(domain))
    assert (found.ok, "a reserved name" in found.said) == (LOOK, True)
    assert server.asked == []


def test_a_resolver_that_is_down_is_said_to_be_down_and_nothing_is_said_to_be_missing() -> None:
    with NameServer() as gone:
        names = gone.names(query_seconds=0.2)
    found = examine_sender(names, Sender(DOMAIN, ("answers.clinic",), RELAY, (signing_key(),)))
    assert [(one.ok, one.said) for one in found] == [(LOOK, "not looked at: the resolver does not answer")]


def test_a_resolver_that_fails_at_everything_finds_nothing_missing(server: NameServer) -> None:
    places = [SPF, DMARC, KEY, (DOMAIN, "MX"), (RELAY, "A"), (RELAY, "AAAA"), ("answers.clinic", "MX")]
    found = findings(server, dict.fromkeys(places, Rude.SERVFAIL))
    assert {one.ok for one in found.values()} == {LOOK}


def test_an_examination_of_hostile_records_ends_in_its_time(server: NameServer) -> None:
    branching = {
        (f"n{n}.clinic", "TXT"): [text("v=spf1 " + " ".join(f"include:n{n * 9 + i}.clinic" for i in range(9)))]
        for n in range(40)
    }
    exchanges = {("many.clinic", "MX"): [f"{n} m{n}.clinic." for n in range(90)]}
    begun = time.monotonic()
    findings(server, spf("v=spf1 include:n0.clinic mx:many.clinic -all") | branching | exchanges)
    assert time.monotonic() - begun < 3
    assert len(server.asked) < 40
