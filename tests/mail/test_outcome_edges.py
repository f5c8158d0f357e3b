"""The edges of what a mail server says: each code and each word of the table by itself, and the names kept."""

import pytest

from reminders.mail.outcome import Blame, Phase, TransportFault, Trouble, Verdict, enhanced_code, lost, refusal

RCPT, DATA, DOT = Phase.RCPT, Phase.DATA, Phase.DOT


@pytest.mark.parametrize("code", [500, 502, 503, 504, 521, 523, 530, 534, 535, 538])
def test_a_server_that_takes_nothing_from_us_uses_up_no_attempt_before_the_dot(code: int) -> None:
    for phase in (RCPT, DATA, Phase.BODY):
        outcome = refusal(phase, code, "no")
        assert (outcome.verdict, outcome.blame) == (Verdict.LATER, Blame.TRANSPORT)
    assert refusal(DOT, code, "no").blame is Blame.POLICY


@pytest.mark.parametrize("code", [505, 520, 522, 524, 529, 531, 533, 536, 537, 539, 552, 554, 555, 557])
def test_another_code_is_about_this_message_and_no_address(code: int) -> None:
    outcome = refusal(RCPT, code, "no")
    assert (outcome.verdict, outcome.blame) == (Verdict.NEVER, Blame.POLICY)


@pytest.mark.parametrize("code", [550, 551, 553, 556])
@pytest.mark.parametrize("enhanced", ["5.0.0", "5.2.0", "5.2.1", "5.4.1", "5.4.4"])
def test_these_codes_say_that_there_is_no_such_mailbox(code: int, enhanced: str) -> None:
    assert refusal(RCPT, code, f"{enhanced} no").blame is Blame.ADDRESS
    assert refusal(DOT, code, f"{enhanced} no").blame is Blame.POLICY
    assert refusal(RCPT, 554, f"{enhanced} no").blame is Blame.POLICY


@pytest.mark.parametrize("enhanced", ["5.1.7", "5.1.8"])
def test_a_bad_sender_is_the_clinics_to_mend_and_no_patients(enhanced: str) -> None:
    outcome = refusal(RCPT, 550, f"{enhanced} no")
    assert (outcome.verdict, outcome.blame) == (Verdict.LATER, Blame.TRANSPORT)


@pytest.mark.parametrize("enhanced", ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"])
def test_what_says_that_the_address_is_bad_is_believed_whatever_words_follow(enhanced: str) -> None:
    for text in ("no such user", "User unknown in relay recipient table", "blocked: unknown"):
        assert refusal(RCPT, 550, f"{enhanced} {text}").blame is Blame.ADDRESS


def test_a_5_1_0_is_about_the_address_unless_its_words_speak_of_something_else() -> None:
    assert refusal(RCPT, 550, "5.1.0 address rejected").blame is Blame.ADDRESS
    assert refusal(RCPT, 550, "5.1.0 sender rejected").blame is Blame.POLICY


@pytest.mark.parametrize(
    "text",
    [
        *("relay not permitted", "bad sender", "authentication first", "looks like spam", "your host is blocked"),
        *("on our blacklist", "access denied", "listed in DNSBL", "poor reputation", "refused by policy"),
        *("daily quota reached", "rate limit", "SPF check failed", "no DKIM signature", "DMARC says no", "bad HELO"),
    ],
)
def test_a_word_about_the_sender_or_the_rules_brands_no_address(text: str) -> None:
    assert refusal(RCPT, 550, text).blame is Blame.POLICY
    assert refusal(RCPT, 550, text.upper()).blame is Blame.POLICY
    assert refusal(RCPT, 550, "user unknown").blame is Blame.ADDRESS


@pytest.mark.parametrize(
    ("phase", "reply", "blame"),
    [
        (RCPT, "452 no space", Blame.POLICY),
        (RCPT, "452 4.3.1 no space", Blame.POLICY),
        (RCPT, "452 4.2.2 mailbox full", Blame.MESSAGE),
        (RCPT, "451 4.3.0 no", Blame.POLICY),
        (RCPT, "451 4.2.0 no", Blame.MESSAGE),
        (RCPT, "453 no", Blame.MESSAGE),
        (RCPT, "420 no", Blame.MESSAGE),
        (RCPT, "422 no", Blame.MESSAGE),
        (RCPT, "499 no", Blame.MESSAGE),
        (DOT, "421 no", Blame.TRANSPORT),
        (Phase.MAIL, "452 no", Blame.TRANSPORT),
    ],
)
def test_a_no_for_now_is_later_and_about(phase: Phase, reply: str, blame: Blame) -> None:
    code, _, text = reply.partition(" ")
    outcome = refusal(phase, int(code), text)
    assert (outcome.verdict, outcome.blame) == (Verdict.LATER, blame)


def test_bad_syntax_of_an_address_we_made_is_no_proof_unless_the_server_says_so() -> None:
    assert refusal(RCPT, 501, "syntax").blame is Blame.MESSAGE
    assert refusal(DATA, 501, "syntax").blame is Blame.POLICY
    assert refusal(RCPT, 501, "5.1.3 bad address").blame is Blame.ADDRESS
    assert refusal(RCPT, 501, "5.5.4 bad parameter").blame is Blame.POLICY


def test_an_enhanced_code_has_a_class_a_subject_and_a_detail_of_up_to_three_digits() -> None:
    for text in ("5.1.1", "5.123.123", "5.7.26 x"):
        assert enhanced_code(550, text) == text.split()[0]
    for text in ("3.1.1", "5.1234.1", "5.1", "5..1", "5.1.", "5x1x1"):
        assert enhanced_code(int(f"{text[0]}50"), text) is None
    assert enhanced_code(450, "4.7.1 later") == "4.7.1"


def test_what_broke_is_the_transports_doing_wherever_it_broke() -> None:
    for phase in Phase:
        for dot_sent, verdict in ((False, Verdict.LATER), (True, Verdict.UNKNOWN)):
            outcome = lost(phase, dot_sent=dot_sent)
            assert (outcome.verdict, outcome.blame, outcome.phase) == (verdict, Blame.TRANSPORT, phase)
            assert (outcome.code, outcome.enhanced) == (None, None)


def test_the_words_under_which_outcomes_are_logged_and_stored_stay_as_they_are() -> None:
    assert " ".join(Phase) == "connect banner ehlo starttls auth mail rcpt data body dot quit"
    assert " ".join(Verdict) == "accepted later never unknown"
    assert " ".join(Blame) == "address policy transport message"
    assert " ".join(Trouble) == "refused busy dns timeout tls auth protocol disconnected"


def test_a_fault_keeps_what_it_is_about() -> None:
    fault = TransportFault(server="smtp://mail.example", phase=Phase.AUTH, kind=Trouble.AUTH, certain=True, code=535)
    assert (fault.server, fault.phase, fault.kind, fault.certain, fault.code) == (
        *("smtp://mail.example", Phase.AUTH, Trouble.AUTH, True, 535),
    )
    kept = {key: fault.facts[key] for key in ("server", "phase", "kind", "certain", "code")}
    assert kept == {"server": fault.server, "phase": fault.phase, "kind": fault.kind, "certain": True, "code": 535}
    assert "password" in str(fault)


@pytest.mark.parametrize(("code", "said"), [(421, "at banner: busy, it says 421). "), (None, "at banner: busy). ")])
def test_a_fault_says_the_number_that_the_server_said(code: int | None, said: str) -> None:
    assert said in str(TransportFault(server="s", phase=Phase.BANNER, kind=Trouble.BUSY, certain=False, code=code))


def test_each_trouble_has_advice_of_its_own() -> None:
    told = {
        str(TransportFault(server="s", phase=Phase.AUTH, kind=kind, certain=False, code=None)).partition("). ")[2]
        for kind in Trouble
    }
    assert len(told) == len(Trouble)
