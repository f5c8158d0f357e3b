"""Attacks on the head of a message through all that a person or a file can enter: refused when saved, or harmless.

Invariant: each attack is of its own kind (where it is entered, and how it tries), and none takes long or much memory.
"""

import email
import itertools
import time
import tracemalloc
from collections.abc import Callable, Iterator
from email import policy
from email.utils import getaddresses
from pathlib import Path

import pytest

from reminders.errors import BadInput, RemindersError
from reminders.mail.address import BadAddress, parse_address
from reminders.mail.compose import compose, parts
from reminders.mail.headers import HeaderRefused
from reminders.mail.message import MessageLinks, RenderedMessage
from reminders.services import clinic
from reminders.services.find import the_clinic
from reminders.settings import BadSettings, load_settings
from reminders.store import clinics, patients
from tests.mail.attacks import ADDRESSES, EVIL, LINKS_TO, NAMES, NO_HOSTS, SHOWN_NAMES
from tests.mail.letters import DATE, LINKS, NO_LINKS, RENDERER, facts
from tests.services.import_desk import Desk
from tests.support.clinic import FakeClock, Office

LONGEST_SECONDS = 2.0
CLINIC_NAMES, PATIENT_NAMES = ("name", "sender_name"), ("given_name", "family_name", "known_as", "phone")
Attack = tuple[str, str, str]


def _each(surface: tuple[str, ...], values: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield every attack once, on one field after the other in turn, so that each field meets each kind of attack."""
    for field, (what, value) in itertools.product(surface, values.items()):
        if len(value) < 100_000 or field == surface[0]:
            yield field, what, value


def _named(attacks: Iterator[Attack]) -> list[object]:
    return [pytest.param(field, value, id=f"{field}: {what}") for field, what, value in attacks]


def test_there_are_enough_kinds_of_attacks() -> None:
    kinds = [NAMES, SHOWN_NAMES, ADDRESSES, LINKS_TO]
    assert sum(len(set(kind.values())) for kind in kinds) >= 100


@pytest.fixture(autouse=True)
def _in_bounded_time() -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < LONGEST_SECONDS


@pytest.fixture(scope="module")
def clinics_office(tmp_path_factory: pytest.TempPathFactory, installed_file: Path) -> Iterator[Office]:
    """A clinic that every attack is tried on, since none may change it."""
    path = tmp_path_factory.mktemp("attacked") / "office.db"
    path.write_bytes(installed_file.read_bytes())
    made = Office(f"sqlite:///{path}", FakeClock())
    made.add_clinic()
    made.add_patient()
    yield made
    made.close()


def refused(office: Office, act: Callable[[], object]) -> None:
    """Check that an act is refused in one printable sentence that repeats nothing, and leaves the clinic as it was."""
    before = _shown(office)
    with pytest.raises(BadInput) as caught:
        act()
    said = str(caught.value)
    assert said.isprintable()
    assert "evil" not in said
    assert len(said) < 300
    assert _shown(office) == before


def _shown(office: Office) -> object:
    with office.read() as tx:
        return (
            the_clinic(tx, "riverside"),
            patients.patient_by_ref(tx, 1, "P1"),
            clinics.practitioners(tx, 1),
        )


@pytest.mark.parametrize(("field", "value"), _named(_each(CLINIC_NAMES, NAMES | SHOWN_NAMES)))
def test_no_name_of_a_clinic_becomes_a_header(clinics_office: Office, field: str, value: str) -> None:
    refused(clinics_office, lambda: clinics_office.change_clinic(**{field: value}))
    refused(clinics_office, lambda: clinics_office.add_clinic("another", **{field: value}))


@pytest.mark.parametrize(("field", "value"), _named(_each(("practitioner",), NAMES | SHOWN_NAMES)))
def test_no_practitioners_name_becomes_anything_else(clinics_office: Office, field: str, value: str) -> None:
    def act() -> None:
        with clinics_office.write() as tx:
            clinic.change_clinic(tx, "riverside", {}, [value])

    assert field == "practitioner"
    refused(clinics_office, act)


@pytest.mark.parametrize(("field", "value"), _named(_each(PATIENT_NAMES, NAMES)))
def test_no_name_or_number_of_a_patient_becomes_a_line(clinics_office: Office, field: str, value: str) -> None:
    refused(clinics_office, lambda: clinics_office.change_patient(**{field: value}))
    refused(clinics_office, lambda: clinics_office.add_patient("P2", **{field: value}))


@pytest.mark.parametrize(("field", "value"), _named(_each(("email", "reply_to"), ADDRESSES)))
def test_no_address_of_a_clinic_becomes_two(clinics_office: Office, field: str, value: str) -> None:
    refused(clinics_office, lambda: clinics_office.change_clinic(**{field: value}))


@pytest.mark.parametrize(("field", "value"), _named(_each(("email", "representative_email"), ADDRESSES)))
def test_no_address_of_a_patient_becomes_two(clinics_office: Office, field: str, value: str) -> None:
    refused(clinics_office, lambda: clinics_office.change_patient(**{field: value}))


@pytest.mark.parametrize(("field", "value"), _named(_each(("booking_url",), LINKS_TO)))
def test_no_booking_link_becomes_another(clinics_office: Office, field: str, value: str) -> None:
    refused(clinics_office, lambda: clinics_office.change_clinic(**{field: value}))


@pytest.mark.parametrize(
    "what", [what for what, value in ADDRESSES.items() if "\0" not in value and len(value) < 100_000]
)
def test_no_imported_file_brings_such_an_address(database: object, tmp_path: Path, what: str) -> None:
    cell = ADDRESSES[what].replace('"', '""')
    desk = Desk(database, tmp_path)  # type: ignore[arg-type] # the fixture's
    report = desk.bring(f'patient_ref,given_name,email\r\n1,Ada,"{cell}"\r\n')
    with desk.reading() as tx:
        found = patients.patient_by_ref(tx, 1, "1")
    assert found is None or found.email is None
    assert (found is None) == bool(report.rejected)
    assert "evil" not in str(report)


@pytest.mark.parametrize("what", [what for what, value in NAMES.items() if "\0" not in value and len(value) < 100_000])
def test_no_imported_file_brings_such_a_name(database: object, tmp_path: Path, what: str) -> None:
    desk = Desk(database, tmp_path)  # type: ignore[arg-type] # the fixture's
    refusals: list[str] = []
    row = f'patient_ref,given_name,practitioner\r\n1,"{NAMES[what]}","{NAMES[what]}"\r\n'
    try:
        desk.bring(row.encode(errors="surrogatepass"))
    except RemindersError as error:
        refusals.append(str(error))
    with desk.reading() as tx:
        found, staff = patients.patient_by_ref(tx, 1, "1"), clinics.practitioners(tx, 1)
    assert "evil" not in "".join(refusals)
    names = [found.given_name or ""] if found else []
    for name in [*names, *(one.name for one in staff)]:
        assert name.isprintable()
        assert len(name) <= 500


# what passes is what it looks like


@pytest.mark.parametrize(
    "name",
    [
        f"Clinic <{EVIL}>",
        f"{EVIL}",
        f'Clinic" <{EVIL}>, "',
        f"a, {EVIL}",
        "Clinic (comment)",
        "friends: a;",
        "Clinic\\",
        "=_0--",
        '\\"',
        "Clinic;",
    ],
)
def test_a_name_of_ordinary_marks_stays_a_name(name: str) -> None:
    """Names hold any printable text; in the head it is quoted, so that one mailbox stays one."""
    shown = facts(sender_name=name, clinic_name=name)
    content = compose(
        RenderedMessage("About it", "Words.\n", "<p>Words.</p>", "1"), shown, LINKS, "<a1@b.example>", DATE
    )
    message = email.message_from_bytes(content, policy=policy.compat32)
    [(read, address)] = getaddresses([str(message["From"])])
    assert (read, address) == (name, shown.sender_address)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a@\u0440aypal.example", "a@xn--aypal-uye.example"),
        ("a@g\u043e\u043egle.example", "a@xn--ggle-55da.example"),
        ("a@b\u00fccher.example", "a@xn--bcher-kva.example"),
    ],
)
def test_a_domain_of_look_alikes_is_shown_as_what_it_is(written: str, shown: str) -> None:
    assert parse_address(written) == shown


STOP_LINKS = [value for value in LINKS_TO.values() if value not in NO_HOSTS]
STOP_LINKS += ["https://b.example/u/\u00fc", "mailto:a b@c.example", "https://" + "u" * 2000, ""]


@pytest.mark.parametrize("value", STOP_LINKS)
def test_no_stop_link_breaks_out_of_its_field(value: str) -> None:
    rendered = RENDERER.render(facts(), LINKS)
    with pytest.raises((HeaderRefused, BadAddress)):
        compose(rendered, facts(), MessageLinks("https://b.example/p/x", value), "<a1@b.example>", DATE)


@pytest.mark.parametrize("value", [value for what, value in LINKS_TO.items() if what != "no https"])
def test_no_base_url_breaks_out_of_a_field(tmp_path: Path, value: str) -> None:
    with pytest.raises(BadSettings) as caught:
        load_settings(base_url=value, secret_key_file=tmp_path / "key")
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize(
    "identifier",
    [
        "<a@b>\r\nBcc: x@evil.example",
        "<a@b> <c@d>",
        "<a@b\0>",
        "a@b.example",
        "<a@=?utf-8?q?b?=>",
        "<" + "a" * 1000 + "@b>",
        "<a@b>\n",
        "< a@b>",
    ],
)
def test_no_message_id_breaks_out_of_its_field(identifier: str) -> None:
    with pytest.raises(HeaderRefused):
        compose(RENDERER.render(facts(), NO_LINKS), facts(), NO_LINKS, identifier, DATE)


@pytest.mark.parametrize(
    "subject", [*NAMES.values(), *[value for what, value in SHOWN_NAMES.items() if "encoded" in what]]
)
def test_no_subject_breaks_out_of_its_field(subject: str) -> None:
    rendered = RenderedMessage(subject, "Words.\n", "<p>Words.</p>", "1")
    if subject == "C" * 501:
        assert parts(compose(rendered, facts(), LINKS, "<a1@b.example>", DATE)).subject == subject
        return
    if "\u0301" in subject:
        assert max(map(len, compose(rendered, facts(), LINKS, "<a1@b.example>", DATE).splitlines())) < 998
        return
    with pytest.raises(HeaderRefused):
        compose(rendered, facts(), LINKS, "<a1@b.example>", DATE)


@pytest.mark.parametrize(
    "words",
    [
        "--{boundary}\n",
        "--{boundary}--\n",
        "\n--{boundary}\nContent-Type: text/html\n\n<b>\n",
        "--{boundary}   \n",
        ".\n",
        "\r.\r",
        "\n.\r\n",
        "From x\n",
    ],
)
def test_words_that_look_like_the_messages_own_marks_stay_words(words: str) -> None:
    """A boundary is the hash of the Message-ID: whoever knows it still cannot end a part with it."""
    boundary = _boundary(b"".join([compose(_worded("Words."), facts(), LINKS, "<a1@b.example>", DATE)]))
    spoken = f"Before.\n{words.format(boundary=boundary)}After.\n"
    content = compose(_worded(spoken), facts(), LINKS, "<a1@b.example>", DATE)
    message = email.message_from_bytes(content, policy=policy.default)
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert "After." in parts(content).text
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")


def test_the_largest_attacks_take_little_memory() -> None:
    tracemalloc.start()
    for value in (*ADDRESSES.values(), *NAMES.values()):
        with pytest.raises(BadAddress):
            parse_address(value)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * 1024 * 1024


def _worded(words: str) -> RenderedMessage:
    return RenderedMessage("About it", words, f"<p>{words}</p>", "1")


def _boundary(content: bytes) -> str:
    found = email.message_from_bytes(content).get_boundary()
    assert found is not None
    return found
