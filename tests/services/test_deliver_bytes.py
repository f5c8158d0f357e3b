"""The bytes of a message: kept before the wire, the same at each attempt, anew when a fact changed, blank once sent."""

import email
import hashlib
import re
from email import policy
from email.message import EmailMessage

import pytest
from sqlalchemy import text

from reminders.domain.lifecycle import State
from reminders.services import decide
from reminders.services.points import Point
from reminders.store import messages
from tests.support.clinic import FOLLOW_UP_AT, INVITED_AT, Office, Once, to
from tests.support.facts import day, utc
from tests.support.killing_server import KillingServer
from tests.support.smtp_server import Behaviour, HangUp, RealServer, RudeServer, Say
from tests.support.ticking import app_at

TOKEN = re.compile(rb"/([pu])/(token-[\w-]+)")


def kept(office: Office, patient_id: int = 1) -> list[bytes]:
    with office.read() as tx:
        return [one.content for one in messages.messages_of(tx, patient_id) if one.content is not None]


def parsed(content: bytes) -> EmailMessage:
    return email.message_from_bytes(content, _class=EmailMessage, policy=policy.default)


def words(content: bytes) -> str:
    return " ".join(part.get_content() for part in parsed(content).walk() if part.get_content_maintype() == "text")


def tokens(content: bytes) -> set[str]:
    return set(re.findall(r"token-[\w-]+", words(content) + str(parsed(content)["List-Unsubscribe"])))


def links(office: Office) -> set[tuple[str, str]]:
    with office.read() as tx:
        rows = tx.connection.execute(text("SELECT purpose, token_hash FROM links"))
        return {(str(purpose), str(hashed)) for purpose, hashed in rows}


def test_a_retry_sends_the_same_bytes_under_the_same_message_id(office: Office, server: RealServer) -> None:
    office.clock.set(INVITED_AT)
    server.script["DOT"].append("451 4.3.0 not now")
    office.deliver(to(server))
    [before] = kept(office)
    name = office.row().message_id
    office.clock.advance(minutes=10)
    office.deliver(to(server))
    assert server.messages[0].content == before
    assert parsed(before)["Message-ID"] == name == office.row().message_id


def test_the_bytes_are_kept_before_the_body_is_on_the_wire(office: Office, server: RealServer) -> None:
    office.clock.set(INVITED_AT)
    seen = list[list[bytes]]()
    office.deliver(to(server), observe=Once(Point.BYTES_KEPT, lambda: seen.append(kept(office))))
    [[before]] = seen
    assert before == server.messages[0].content


def test_a_changed_fact_makes_new_bytes_under_the_same_message_id(office: Office, server: RealServer) -> None:
    office.clock.set(INVITED_AT)
    server.script["DOT"].append("451 4.3.0 not now")
    office.deliver(to(server))
    [before], name = kept(office), office.row().message_id
    office.change_patient(known_as="Countess")
    office.clock.advance(minutes=10)
    office.deliver(to(server))
    [received] = server.messages
    assert received.content != before
    assert "Countess" in words(received.content)
    assert parsed(received.content)["Message-ID"] == name


def test_a_changed_set_of_reminders_makes_new_bytes_under_the_same_message_id(
    empty_office: Office, server: RealServer
) -> None:
    empty_office.add_clinic()
    empty_office.add_patient()
    empty_office.clock.set(utc("2026-02-10 12:00"))
    empty_office.treat(protocol="peel-medium")
    empty_office.treat(protocol="filler-lips", on="2025-10-05")  # both are due on 22 May
    empty_office.clock.set(utc("2026-05-22 09:00"))
    server.script["DOT"].append("451 4.3.0 not now")
    assert empty_office.deliver(to(server)).deferred == 2
    [before] = kept(empty_office)
    empty_office.hold(line="lips", until=day("2026-09-01"))
    empty_office.clock.advance(minutes=10)
    assert empty_office.deliver(to(server)).sent == 1
    [received] = server.messages
    assert received.content != before
    assert parsed(received.content)["Message-ID"] == parsed(before)["Message-ID"]
    empty_office.clock.set(utc("2026-06-05 09:00"))
    assert empty_office.deliver(to(server)).sent == 0


def test_a_message_that_went_out_never_lends_its_name_to_another(office: Office, server: RealServer) -> None:
    for moment in (INVITED_AT, FOLLOW_UP_AT):
        office.clock.set(moment)
        office.deliver(to(server))
    first, second = (parsed(received.content)["Message-ID"] for received in server.messages)
    assert first != second


def test_links_are_kept_as_hashes_and_point_to_what_was_sent(office: Office, server: RealServer) -> None:
    office.clock.set(INVITED_AT)
    office.deliver(to(server))
    sent = tokens(server.messages[0].content)
    assert len(sent) == 2
    hashed = {hashlib.sha256(token.encode()).hexdigest() for token in sent}
    assert {one for _, one in links(office)} == hashed
    assert {purpose for purpose, _ in links(office)} == {"request", "stop"}


def no_token_is_left(office: Office) -> bool:
    return not any(tokens(content) - {"token-"} or TOKEN.search(content) for content in kept(office))


def test_once_sent_the_tokens_in_the_kept_bytes_are_blank(office: Office, server: RealServer) -> None:
    office.clock.set(INVITED_AT)
    office.deliver(to(server))
    assert no_token_is_left(office)


def test_a_message_in_doubt_keeps_its_tokens_until_somebody_settles_it(office: Office) -> None:
    office.clock.set(INVITED_AT)
    with RudeServer({"dot": HangUp()}) as rude:
        office.deliver(to(rude))
    assert not no_token_is_left(office)
    with office.write() as tx:
        decide.settle(tx, office.row().id, State.SENT, "the patient called")
    assert no_token_is_left(office)


def test_what_expires_unsent_keeps_no_token(office: Office, server: RealServer) -> None:
    office.clock.set(INVITED_AT)
    server.script["DOT"].append("451 4.3.0 not now")
    office.deliver(to(server))
    assert not no_token_is_left(office)
    office.clock.set(utc("2026-05-05 00:00"))
    assert office.deliver(to(server)).expired == 1
    assert no_token_is_left(office)


def test_what_planning_expires_keeps_no_token(office: Office, server: RealServer) -> None:
    office.clock.set(INVITED_AT)
    server.script["DOT"].append("451 4.3.0 not now")
    office.deliver(to(server))
    office.clock.set(utc("2026-05-05 00:00"))
    office.plan()
    assert office.row().state is State.EXPIRED
    assert no_token_is_left(office)


def test_an_unknown_one_that_came_back_keeps_no_token(office: Office) -> None:
    office.clock.set(INVITED_AT)
    with RudeServer({"dot": HangUp()}) as rude:
        office.deliver(to(rude))
    with office.write() as tx:
        decide.came_back(tx, office.row().id, complaint=False)
    assert office.row().state is State.BOUNCED
    assert no_token_is_left(office)


@pytest.mark.parametrize("point", [Point.CLAIMED, Point.ENVELOPE_ACCEPTED, Point.BYTES_KEPT, Point.BODY_WRITTEN])
def test_who_is_erased_before_the_fence_leaves_no_bytes(office: Office, server: RealServer, point: Point) -> None:
    office.clock.set(INVITED_AT)
    office.deliver(to(server), observe=Once(point, office.erase))
    assert (kept(office), links(office), server.messages) == ([], set(), [])


@pytest.mark.parametrize("point", [Point.FENCED, Point.DOT_WRITTEN, Point.ANSWERED])
def test_who_is_erased_behind_the_fence_leaves_no_bytes_although_it_was_sent(
    office: Office, server: RealServer, point: Point
) -> None:
    office.clock.set(INVITED_AT)
    assert office.deliver(to(server), observe=Once(point, office.erase)).sent == 1
    assert (kept(office), links(office), len(server.messages)) == ([], set(), 1)
    assert min(office.rows(), key=lambda row: row.id).state is State.SENT


def test_without_an_https_address_no_token_is_made(office: Office, server: RealServer) -> None:
    office.clock.set(INVITED_AT)
    assert office.deliver(to(server), link_base=None).sent == 1
    assert (links(office), tokens(server.messages[0].content)) == (set(), set())


ENOUGH: dict[str, Behaviour] = {
    "said at once": Say("421 4.7.0 enough", hang_up=True),
    "said": Say("421 enough"),
    "not said": HangUp(),
}


@pytest.mark.parametrize("enough", ENOUGH)
def test_a_connection_is_used_for_many_messages_and_replaced_once_the_server_had_enough(
    office: Office, enough: str
) -> None:
    office.add_due(5, prefix="Q")
    office.clock.set(INVITED_AT)
    with RudeServer({"mail": [Say("250 ok"), Say("250 ok"), ENOUGH[enough]]}) as rude:
        assert office.deliver(to(rude)).sent == 6
        assert len([said for said in rude.commands if said.startswith("EHLO")]) == 2


@pytest.mark.parametrize(("lasts_s", "connections"), [(60, 1), (0, 2)])
def test_a_connection_outlasts_a_delivery_if_asked_to_and_is_closed_with_the_product(
    office: Office, lasts_s: float, connections: int
) -> None:
    office.clock.set(INVITED_AT)
    with RudeServer() as rude, app_at(office, to(rude)) as app:
        assert app.deliver(lines_last_s=lasts_s).sent == 1
        office.add_due(1, prefix="Q")
        assert app.deliver(lines_last_s=lasts_s).sent == 1
    said = [line[:4].upper() for line in rude.commands]
    assert (said.count("EHLO"), said.count("QUIT")) == (connections, connections)


def test_a_new_connection_that_ends_at_mail_is_not_tried_over_and_over(office: Office) -> None:
    office.clock.set(INVITED_AT)
    with RudeServer({"mail": Say("421 4.3.2 closing", hang_up=True)}) as rude:
        assert office.deliver(to(rude)).deferred == 1
        assert len([said for said in rude.commands if said.startswith("EHLO")]) == 1


def test_a_body_that_was_cut_off_is_never_finished(office: Office) -> None:
    office.clock.set(INVITED_AT)

    def drop() -> None:
        raise ConnectionAbortedError

    with KillingServer() as breaking:
        breaking.arm("data", 1, drop)
        assert office.deliver(to(breaking)).deferred == 1
        assert breaking.accepted == []
