"""A sender's key from its making to its end, and the mail it signs on the way."""

import logging
from collections.abc import Iterator

import dkim as verifier  # type: ignore[import-untyped]  # it brings no types
import pytest

from reminders.errors import BadInput
from reminders.mail.sender.name_service import NameService
from reminders.services import signing
from reminders.services.breaker import Breakers
from reminders.services.deliver import DeliverOutcome, deliver
from reminders.services.find import the_clinic
from reminders.services.keys import BrokenSeal, Keys, rewrap, unwrap, wrap_new_pepper
from reminders.services.points import nobody
from reminders.services.preview import preview
from reminders.services.rounds import Worker
from reminders.services.signing import KeyCannotBeOpened, KeyView, NotYetShown
from reminders.store import signing as stored
from tests.support.clinic import INVITED_AT, LEASE, LINKS, PEPPER, Office, to
from tests.support.kept import kept_bytes
from tests.support.name_server import NameServer, Rude
from tests.support.smtp_server import RealServer
from tests.support.tampering import contents, past_the_rules

DOMAIN = "riverside.example"


@pytest.fixture
def names() -> Iterator[NameServer]:
    with NameServer() as running:
        yield running


def made(office: Office, selector: str | None = None) -> KeyView:
    return signing.make_key(office.database, office.clock, office.keys, "riverside", selector)


def activated(office: Office, names: NameService | None = None, selector: str | None = None) -> KeyView:
    return signing.activate(office.database, office.clock, office.keys, names, "riverside", selector)


def delivered(office: Office, server: RealServer) -> DeliverOutcome:
    """Deliver as the product does: the keys are read and opened once, before anything is claimed."""
    with office.read() as tx:
        sign = signing.signer(tx, office.keys)
    transport = to(server)
    worker = Worker(
        database=office.database,
        clock=office.clock,
        keys=office.keys,
        renderer=office.renderer,
        transport=transport,
        breakers=Breakers(transport.name),
        lease=LEASE,
        link_base=LINKS,
        observe=nobody,
        chance=office.chance,
        sign=sign,
    )
    return deliver(worker, "one", 1)


def verified(content: bytes, *views: KeyView) -> bool:
    records = {f"{view.entry.name}.".encode(): view.entry.value.encode() for view in views}
    return bool(verifier.verify(content, dnsfunc=lambda name, timeout=5: records.get(name)))  # noqa: ARG005


# what is sent


def test_mail_is_signed_from_the_keys_activation_on(office: Office, server: RealServer) -> None:
    key = made(office)
    activated(office)
    office.clock.set(INVITED_AT)
    assert delivered(office, server).sent == 1
    [received] = server.messages
    assert verified(received.content, key)
    assert received.content.startswith(b"DKIM-Signature: ")


def test_a_key_that_waits_signs_nothing(office: Office, server: RealServer) -> None:
    made(office)
    office.clock.set(INVITED_AT)
    assert delivered(office, server).sent == 1
    assert b"DKIM-Signature" not in server.messages[0].content


def test_a_clinic_of_another_domain_is_not_signed_for(office: Office, server: RealServer) -> None:
    office.add_clinic("hill")
    office.add_patient("P9", "hill")
    office.treat("P9", slug="hill")
    made(office)
    activated(office)
    office.clock.set(INVITED_AT)
    assert delivered(office, server).sent == 2
    assert [b"DKIM-Signature" in one.content for one in server.messages if "hill" in one.mail_from] == [False]
    assert [b"DKIM-Signature" in one.content for one in server.messages if "riverside" in one.mail_from] == [True]


def test_a_retry_sends_the_same_bytes_though_another_key_signs_by_then(office: Office, server: RealServer) -> None:
    first = made(office)
    activated(office)
    office.clock.set(INVITED_AT)
    server.script["DOT"].append("451 4.3.0 later")
    assert delivered(office, server).deferred == 1
    kept = _kept(office)
    made(office, "second")
    activated(office)
    office.clock.advance(hours=3)
    assert delivered(office, server).sent == 1
    assert verified(server.messages[0].content, first)
    assert server.messages[0].content.rstrip() == kept.rstrip()


def test_a_preview_shows_the_signature(office: Office) -> None:
    key = made(office)
    activated(office)
    with office.read() as tx:
        shown = preview(tx, office.keys, office.renderer, LINKS, the_clinic(tx, "riverside"), "P1", None)
    assert shown.headers[0][0] == "DKIM-Signature"
    assert key.selector in shown.headers[0][1]


def test_a_key_that_cannot_be_opened_stops_delivery_before_anything_is_claimed(
    office: Office, server: RealServer
) -> None:
    made(office)
    activated(office)
    _tamper(office, "UPDATE dkim_keys SET sealed_key = x'00'")
    office.clock.set(INVITED_AT)
    with pytest.raises(KeyCannotBeOpened, match=f"of {DOMAIN} cannot be opened"):
        delivered(office, server)
    assert office.states() == {"planned": 3}
    assert server.messages == []


def test_a_broken_key_that_never_signed_or_signs_for_nobody_stops_nothing(office: Office, server: RealServer) -> None:
    made(office)
    _tamper(office, "UPDATE dkim_keys SET sealed_key = x'00'")
    office.clock.set(INVITED_AT)
    _tamper(
        office,
        "INSERT INTO dkim_keys SELECT 9, 'left.example', 'x', x'00', '', created_at, created_at, NULL FROM dkim_keys",
    )
    assert delivered(office, server).sent == 1


# a key's life


def test_making_a_key_twice_shows_the_one_that_waits(office: Office) -> None:
    assert made(office) == made(office)
    assert made(office).selector == "reminders-202601"
    with office.read() as tx:
        assert [view.state for view in signing.list_keys(tx)] == ["waiting"]


def test_a_key_is_put_to_use_once_the_name_service_shows_it(office: Office, names: NameServer) -> None:
    key = made(office)
    with pytest.raises(NotYetShown, match="its record is not there yet"):
        activated(office, names.names())
    names.txt(key.entry.name, key.entry.value)
    assert activated(office, names.names()).state == "active"


@pytest.mark.parametrize("how", [Rude.SERVFAIL, Rude.SILENT, "v=DKIM1; p=", "v=DKIM1; k=rsa; p=AAAA", "v=spf1 -all"])
def test_a_key_that_is_not_shown_as_it_is_stays_waiting(office: Office, names: NameServer, how: Rude | str) -> None:
    key = made(office)
    if isinstance(how, Rude):
        names.zone[(key.entry.name, "TXT")] = how
    else:
        names.txt(key.entry.name, how)
    with pytest.raises(NotYetShown):
        activated(office, names.names(query_seconds=0.2))
    with office.read() as tx:
        assert [view.state for view in signing.list_keys(tx)] == ["waiting"]


def test_a_rotation_retires_the_old_key_when_the_new_one_is_used_and_not_before(office: Office) -> None:
    made(office)
    activated(office)
    made(office, "second")
    assert _states(office) == {"reminders-202601": "active", "second": "waiting"}
    activated(office)
    assert _states(office) == {"reminders-202601": "retired", "second": "active"}


def test_a_retired_keys_private_half_is_destroyed(office: Office) -> None:
    made(office)
    with office.write() as tx:
        signing.retire(tx, "riverside", "reminders-202601")
        assert [key.sealed_key for key in stored.keys_of(tx)] == [b""]


@pytest.mark.parametrize("selector", ["", "UPPER", "a b", "a.b", "-a", "a-", "a" * 64, "ü", "a\r\nb", "a;b", "a\n"])
def test_a_selector_is_one_plain_label(office: Office, selector: str) -> None:
    with pytest.raises(signing.BadSelector):
        made(office, selector)


def test_what_cannot_be_done_to_a_key_is_said(office: Office) -> None:
    with pytest.raises(signing.NoSuchKey):
        activated(office)
    made(office, "one")
    activated(office)
    with pytest.raises(signing.KeyInUse):
        activated(office, selector="one")
    with pytest.raises(signing.SelectorTaken):
        made(office, "one")
    with office.write() as tx:
        signing.retire(tx, "riverside", "one")
    with pytest.raises(signing.KeyRetired):
        activated(office, selector="one")
    with pytest.raises(signing.SelectorTaken):
        made(office, "one")
    with pytest.raises(signing.NoSuchKey), office.write() as tx:
        signing.retire(tx, "riverside", "other")
    with pytest.raises(BadInput):
        signing.make_key(office.database, office.clock, office.keys, "nowhere", None)


def test_a_broken_key_is_not_put_to_use(office: Office) -> None:
    made(office)
    _tamper(office, "UPDATE dkim_keys SET sealed_key = x'00'")
    with pytest.raises(KeyCannotBeOpened):
        activated(office)


# what nobody may see


def test_a_private_key_is_in_no_view_no_row_and_no_trail(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    made(office)
    key = activated(office)
    with office.read() as tx:
        [row] = stored.keys_of(tx)
    private = office.keys.unseal(signing.PURPOSE, row.sealed_key)
    seen = repr(row) + repr(key) + caplog.text
    assert "sealed_key" not in seen
    dumped = "\n".join(contents(office.database)).encode()
    for secret in (private[100:140], private[100:140].hex().encode(), private[100:140].hex().upper().encode()):
        assert secret not in dumped
    trail = [line for line in contents(office.database) if line.startswith("audit: ") and "dkim_key" in line]
    assert len(trail) == 2
    assert row.public_key not in "".join(trail)


def test_a_seal_is_opened_by_its_own_pepper_and_purpose_alone() -> None:
    keys = Keys(PEPPER)
    sealed = keys.seal("one thing", b"a secret")
    assert b"secret" not in sealed
    assert Keys(PEPPER).unseal("one thing", sealed) == b"a secret"
    for other, purpose in ((keys, "another thing"), (Keys(b"another pepper"), "one thing")):
        with pytest.raises(BrokenSeal):
            other.unseal(purpose, sealed)
    with pytest.raises(BrokenSeal):
        keys.unseal("one thing", b"")


def test_a_key_signs_on_after_the_rotation_of_the_secret_key() -> None:
    old, new = "an old key of 32 letters and more", "a new key of 32 letters and more.."
    wrapped = wrap_new_pepper([old])
    sealed = Keys(unwrap(wrapped, [old])).seal(signing.PURPOSE, b"a secret")
    rotated = rewrap(wrapped, [new, old])
    assert Keys(unwrap(rotated, [new])).unseal(signing.PURPOSE, sealed) == b"a secret"


def _states(office: Office) -> dict[str, str]:
    with office.read() as tx:
        return {view.selector: view.state for view in signing.list_keys(tx)}


def _tamper(office: Office, statement: str) -> None:
    past_the_rules(office.database, [statement])


def _kept(office: Office) -> bytes:
    with office.read() as tx:
        [content] = kept_bytes(tx)
    return content
