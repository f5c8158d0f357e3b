"""What each answer of a mail server means: the table, and that nothing of the server's words or the address is kept."""

import pytest

from reminders.mail.outcome import (
    Blame,
    Outcome,
    Phase,
    TransportFault,
    Trouble,
    Verdict,
    enhanced_code,
    lost,
    refusal,
)

MAIL, RCPT, DATA, BODY, DOT = Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.BODY, Phase.DOT
LATER, NEVER = Verdict.LATER, Verdict.NEVER
ADDRESS, POLICY, TRANSPORT, MESSAGE = Blame.ADDRESS, Blame.POLICY, Blame.TRANSPORT, Blame.MESSAGE

TABLE = [
    # the server as a whole: nobody's attempt is used up
    (MAIL, "421 4.3.2 shutting down", LATER, TRANSPORT),
    (RCPT, "421 too many connections", LATER, TRANSPORT),
    (DATA, "421 4.7.0 rate limited", LATER, TRANSPORT),
    (DOT, "421 4.3.0 try again", LATER, TRANSPORT),
    (MAIL, "451 4.7.1 slow down", LATER, TRANSPORT),
    (MAIL, "550 5.7.1 sender address rejected", LATER, TRANSPORT),
    (MAIL, "553 5.1.8 sender domain does not exist", LATER, TRANSPORT),
    (MAIL, "530 5.7.0 must issue a STARTTLS command first", LATER, TRANSPORT),
    (RCPT, "530 5.7.0 authentication required", LATER, TRANSPORT),
    (RCPT, "503 5.5.1 bad sequence", LATER, TRANSPORT),
    (RCPT, "550 5.1.8 bad sender's system address", LATER, TRANSPORT),
    (DATA, "535 5.7.8 not authenticated", LATER, TRANSPORT),
    (RCPT, "521 this host takes no mail", LATER, TRANSPORT),
    (RCPT, "523 5.7.10 encryption needed", LATER, TRANSPORT),
    # not now, for this message only
    (RCPT, "450 4.2.0 greylisted", LATER, MESSAGE),
    (RCPT, "451 4.7.1 greylisting in action", LATER, MESSAGE),
    (RCPT, "450 mailbox busy", LATER, MESSAGE),
    (RCPT, "452 4.2.2 mailbox full", LATER, MESSAGE),
    (DATA, "451 local error", LATER, MESSAGE),
    (DOT, "451 4.7.1 content not yet trusted", LATER, MESSAGE),
    # the server's own health or quota: counted, blamed on nobody
    (RCPT, "452 4.3.1 insufficient system storage", LATER, POLICY),
    (RCPT, "452 too many mails", LATER, POLICY),
    (RCPT, "451 4.3.0 temporary lookup failure", LATER, POLICY),
    (DOT, "452 4.3.1 queue full", LATER, POLICY),
    # no such mailbox
    (RCPT, "550 5.1.1 user unknown", NEVER, ADDRESS),
    (RCPT, "550 5.1.10 null MX", NEVER, ADDRESS),
    (RCPT, "550 mailbox unavailable", NEVER, ADDRESS),
    (RCPT, "551 user not local", NEVER, ADDRESS),
    (RCPT, "556 domain does not accept mail", NEVER, ADDRESS),
    (RCPT, "553 mailbox name not allowed", NEVER, ADDRESS),
    (RCPT, "550 5.2.1 mailbox disabled", NEVER, ADDRESS),
    (RCPT, "550 5.4.1 recipient address rejected: access denied", NEVER, ADDRESS),
    (RCPT, "501 5.1.3 bad recipient address syntax", NEVER, ADDRESS),
    (RCPT, "554 5.1.1 no such user", NEVER, ADDRESS),
    (DOT, "550 5.1.1 no such user", NEVER, ADDRESS),
    # a blocked or wrongly set up sender must not brand every address
    (RCPT, "550 5.7.1 blocked by policy", NEVER, POLICY),
    (RCPT, "550 relaying denied", NEVER, POLICY),
    (RCPT, "550 relay not permitted", NEVER, POLICY),
    (RCPT, "550 authentication required", NEVER, POLICY),
    (RCPT, "550 listed in dnsbl", NEVER, POLICY),
    (RCPT, "553 sorry, that domain isn't in my list of allowed relayhosts", NEVER, POLICY),
    (RCPT, "550 5.1.0 sender rejected", NEVER, POLICY),
    (RCPT, "550 5.4.5 daily sending quota exceeded", NEVER, POLICY),
    (RCPT, "550 5.3.0 misconfigured", NEVER, POLICY),
    (RCPT, "554 5.7.1 service unavailable; client host blocked", NEVER, POLICY),
    (RCPT, "552 quota", NEVER, POLICY),
    (DATA, "554 no valid recipients", NEVER, POLICY),
    (BODY, "552 5.3.4 message too big", NEVER, POLICY),
    (DOT, "550 looks like spam", NEVER, POLICY),
    (DOT, "554 5.6.0 content rejected", NEVER, POLICY),
    (DOT, "503 what?", NEVER, POLICY),
    # the address is right, this message cannot be taken
    (RCPT, "552 5.2.2 mailbox full", NEVER, MESSAGE),
    (RCPT, "550 5.2.2 over quota", NEVER, MESSAGE),
    (DOT, "552 5.2.3 longer than this mailbox allows", NEVER, MESSAGE),
    (RCPT, "501 syntax error", NEVER, MESSAGE),
    (RCPT, "550 5.1.1: user unknown", NEVER, ADDRESS),
    (RCPT, "550 4.7.1 its classes disagree; user unknown", NEVER, ADDRESS),
]


@pytest.mark.parametrize(("phase", "reply", "verdict", "blame"), TABLE)
def test_an_answer_means(phase: Phase, reply: str, verdict: Verdict, blame: Blame) -> None:
    code, _, text = reply.partition(" ")
    outcome = refusal(phase, int(code), text)
    assert (outcome.verdict, outcome.blame, outcome.phase, outcome.code) == (verdict, blame, phase, int(code))


@pytest.mark.parametrize("phase", [MAIL, RCPT, DATA, BODY, DOT])
def test_a_refusal_is_never_accepted_nor_unknown_and_a_4xx_is_never_final(phase: Phase) -> None:
    for code in range(400, 600):
        outcome = refusal(phase, code, "")
        assert outcome.verdict in ({LATER} if code < 500 else {LATER, NEVER})
        assert outcome.blame is not None
        assert phase is not DOT or code < 500 or outcome.verdict is NEVER


@pytest.mark.parametrize("phase", [MAIL, DATA, BODY, DOT])
def test_only_rcpt_or_a_5_1_code_brands_an_address(phase: Phase) -> None:
    branded = {code for code in range(400, 600) if refusal(phase, code, "").blame is ADDRESS}
    assert branded == set()


@pytest.mark.parametrize(
    ("code", "text", "found"),
    [
        (550, "5.1.1 user", "5.1.1"),
        (550, "5.1.10 user", "5.1.10"),
        (550, "5.1.1", "5.1.1"),
        (550, "4.1.1 user", None),
        (550, "user 5.1.1", None),
        (550, "5.1.1.1 user", None),
        (550, "5.1.1234", None),
        (250, "2.0.0 ok", "2.0.0"),
        (250, "", None),
    ],
)
def test_an_enhanced_code_counts_where_it_stands_first_and_agrees(code: int, text: str, found: str | None) -> None:
    assert enhanced_code(code, text) == found


def test_before_the_dot_silence_means_later_and_after_it_nobody_knows() -> None:
    assert lost(Phase.BODY, dot_sent=False).verdict is Verdict.LATER
    assert lost(Phase.DOT, dot_sent=True).verdict is Verdict.UNKNOWN


def test_a_summary_holds_codes_and_nothing_of_what_the_server_said() -> None:
    outcome = refusal(RCPT, 550, "5.1.1 <odile@home.example> is unknown here")
    assert outcome.summary == "never at rcpt (550 5.1.1, address)"
    assert "odile" not in repr(outcome)
    assert lost(DOT, dot_sent=True).summary == "unknown at dot (no answer, transport)"
    assert Outcome(Verdict.ACCEPTED, None, DOT, 250, "2.0.0").summary == "accepted at dot (250 2.0.0)"


@pytest.mark.parametrize("kind", Trouble)
def test_a_fault_says_where_why_and_what_to_do(kind: Trouble) -> None:
    fault = TransportFault(server="smtp://mail.example:587", phase=Phase.AUTH, kind=kind, certain=False, code=None)
    assert str(fault).startswith(f"The mail server could not be used (smtp://mail.example:587, at auth: {kind}). ")
    assert len(str(fault)) > 100
