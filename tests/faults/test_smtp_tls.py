"""Rude servers and TLS: what is not safe is not used, and what breaks under TLS ends as it would in the clear (F17)."""

from collections.abc import Mapping

import pytest

from reminders.mail.smtp import Security
from tests.support import chaos_acts
from tests.support.chaos_acts import BROKEN, SENSELESS, SILENT, reply, says
from tests.support.chaos_certificates import untrusted
from tests.support.chaos_office import ChaosOffice
from tests.support.chaos_scenario import Scenario, run
from tests.support.chaos_server import Act, ChaosServer
from tests.support.smtp_server import Certificates

SAFE = (Security.STARTTLS, Security.IMPLICIT)
UNTRUSTED = untrusted()
BROKEN_UNDER_TLS: Act = lambda talk, _: talk.say_in_the_clear(b"250 2.0.0 in the clear\r\n")  # noqa: E731 - an act
OFFERS = {
    "stripped": "250-chaos.test\r\n250 SIZE 10000000",
    "cut out of a word": "250-chaos.test\r\n250 XSTARTTLSX",
    "nothing": "250 chaos.test",
}
HANDSHAKES: Mapping[str, tuple[Act, str, bool]] = {
    "close": (BROKEN["close"], "f", False),
    "reset": (BROKEN["reset"], "f", False),
    "plain words": (says(b"220 chaos.test ESMTP\r\n"), "c", False),
    "junk": (SENSELESS["binary junk"], "c", False),
    "silence": (SILENT["silence"], "f", True),
    "half a record": (chaos_acts.falling_silent(says(b"\x16\x03\x03\x40\x00abc")), "f", True),
}
LETTERS = {"mail": "t", "rcpt": "t", "data": "T", "body": "T", "dot": "u", "rset": "s", "quit": "s"}
ACTS: dict[str, Act] = {
    "broken TLS": BROKEN_UNDER_TLS,
    "close": BROKEN["close"],
    "reset": BROKEN["reset"],
    "no code": SENSELESS["no code"],
    "half a line": BROKEN["half a line, then close"],
}


def nothing_in_the_clear(server: ChaosServer) -> bool:
    """Tell whether only the greeting and the wish for TLS were said in the clear."""
    return {line[:4].upper() for line in server.said} <= {"EHLO", "STAR"}


@pytest.mark.parametrize("offer", OFFERS)
def test_f17_without_starttls_nothing_is_said(
    chaos_office: ChaosOffice, chaos_server: ChaosServer, trusted: Certificates, offer: str
) -> None:
    scenario = Scenario("ehlo", {"ehlo": reply(OFFERS[offer])}, "c", security=Security.STARTTLS)
    run(chaos_office, chaos_server, trusted, scenario)
    assert nothing_in_the_clear(chaos_server)


@pytest.mark.parametrize("security", SAFE, ids=lambda one: one.value)
@pytest.mark.parametrize("name", UNTRUSTED)
def test_f17_a_certificate_or_version_that_is_not_to_be_trusted_ends_it_at_once(
    chaos_office: ChaosOffice, chaos_server: ChaosServer, trusted: Certificates, name: str, security: Security
) -> None:
    scenario = Scenario("handshake", {}, "c", security=security, certificates=UNTRUSTED[name])
    run(chaos_office, chaos_server, trusted, scenario)
    assert nothing_in_the_clear(chaos_server)


@pytest.mark.parametrize("security", SAFE, ids=lambda one: one.value)
@pytest.mark.parametrize("name", HANDSHAKES)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # ssl forgets a socket reset meanwhile
def test_f17_a_handshake_that_breaks_lets_nothing_out(
    chaos_office: ChaosOffice, chaos_server: ChaosServer, trusted: Certificates, name: str, security: Security
) -> None:
    act, letter, waits = HANDSHAKES[name]
    phase = "connect" if security is Security.IMPLICIT else "handshake"
    run(chaos_office, chaos_server, trusted, Scenario(phase, {"handshake": act}, letter, waits, security))
    assert nothing_in_the_clear(chaos_server)


@pytest.mark.parametrize("phase", LETTERS)
@pytest.mark.parametrize("name", ACTS)
def test_f17_what_breaks_under_tls_ends_as_it_would_in_the_clear(
    chaos_office: ChaosOffice, chaos_server: ChaosServer, trusted: Certificates, name: str, phase: str
) -> None:
    scenario = Scenario(phase, {phase: ACTS[name]}, LETTERS[phase], security=Security.IMPLICIT)
    run(chaos_office, chaos_server, trusted, scenario)
    assert nothing_in_the_clear(chaos_server)
