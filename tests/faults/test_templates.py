"""A clinic's own templates that break, or change while messages wait."""

import pytest

from reminders.domain.lifecycle import Reason, State
from reminders.mail.compose import parts
from reminders.services.templates import TemplateRefused
from tests.services.test_templates import SUBJECT, keep_unproven, message_rows, save, words
from tests.support.clinic import FOLLOW_UP_AT, INVITED_AT, Office, to
from tests.support.smtp_server import RealServer

BROKEN = (
    "{% if given_name %}",
    "{{ nobody }}",
    "{{ given_name.__class__ }}",
    "{% for x in y %}{% endfor %}",
    "{{ 9**9 }}",
)


@pytest.mark.parametrize("source", BROKEN)
def test_f28_a_broken_template_is_refused_when_it_is_saved(office: Office, source: str) -> None:
    with pytest.raises(TemplateRefused):
        save(office, source)


@pytest.mark.parametrize("source", BROKEN)
def test_f28_one_that_breaks_later_holds_its_own_clinics_messages_until_it_is_mended(
    office: Office, server: RealServer, source: str
) -> None:
    office.add_clinic("harbour")
    office.add_patient("H1", "harbour")
    office.treat("H1", slug="harbour")
    keep_unproven(office, words(source))
    office.clock.set(INVITED_AT)
    outcome = office.deliver(to(server), 2)
    assert (outcome.sent, outcome.held) == (1, 1)
    held = office.row()
    assert (held.state, held.reason) == (State.HELD, Reason.TEMPLATE_BROKEN)
    assert office.row("invitation", "H1", "harbour").state is State.SENT
    save(office, "Mended words.")
    assert office.deliver(to(server)).sent == 1
    assert "Mended words." in parts(server.messages[-1].content).text


def test_f29_each_message_records_the_words_it_was_made_of(office: Office, server: RealServer) -> None:
    assert SUBJECT
    first = save(office, "The first words.").template
    office.clock.set(INVITED_AT)
    server.script["DOT"].append("451 4.3.0 later")
    office.deliver(to(server))
    second = save(office, "The second words.").template
    office.clock.advance(minutes=30)
    assert office.deliver(to(server)).sent == 1
    [(version, _)] = message_rows(office)
    assert (version or "").startswith(f"own:{second.id}.{second.version}+")
    assert first.version != second.version
    assert "The second words." in parts(server.messages[-1].content).text
    save(office, "The third words.")
    office.clock.set(FOLLOW_UP_AT)
    assert office.deliver(to(server)).sent == 1
    [(still, _), _] = message_rows(office)
    assert still == version  # what is sent keeps its own
