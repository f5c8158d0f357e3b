"""What could not be asked is never said to be missing, and no answer costs more than its bounds."""

import time
from collections.abc import Iterator

import pytest

from reminders.mail.sender.name_service import Fault, NameService, printable
from tests.support.name_server import NameServer, Rude, text


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer() as running:
        yield running


def test_what_stands_there_is_read(server: NameServer) -> None:
    server.txt("linden.clinic", "v=spf1 -all", "x" * 700)
    server.zone[("linden.clinic", "MX")] = ["20 b.linden.clinic.", "10 a.linden.clinic."]
    server.zone[("a.linden.clinic", "A")] = ["192.0.2.1"]
    server.zone[("a.linden.clinic", "AAAA")] = ["2001:db8::1"]
    names = server.names()
    assert set(names.texts("linden.clinic").values) == {"v=spf1 -all", "x" * 700}
    assert [one.host for one in names.exchanges("LINDEN.clinic.").values] == ["a.linden.clinic", "b.linden.clinic"]
    assert [str(one) for one in names.addresses("a.linden.clinic").values] == ["192.0.2.1", "2001:db8::1"]


def test_a_missing_name_and_a_missing_entry_are_told_apart_from_silence(server: NameServer) -> None:
    server.txt("there.clinic", "something")
    names = server.names()
    assert names.texts("nowhere.clinic").fault is Fault.NO_NAME
    assert names.exchanges("there.clinic").fault is Fault.NO_ENTRY
    assert names.texts("nowhere.clinic").missing
    assert names.exchanges("there.clinic").missing


@pytest.mark.parametrize(
    ("how", "fault"),
    [
        (Rude.SERVFAIL, Fault.FAILED),
        (Rude.REFUSED, Fault.FAILED),
        (Rude.CNAME_LOOP, Fault.UNREADABLE),
        (Rude.ALWAYS_TRUNCATED, Fault.UNREADABLE),
        (Rude.SILENT, Fault.SILENT),
        (Rude.GARBAGE, Fault.SILENT),
        (Rude.WRONG_QUESTION, Fault.SILENT),
    ],
)
def test_a_rude_server_is_said_to_be_one_and_never_makes_an_entry_missing(
    server: NameServer, how: Rude, fault: Fault
) -> None:
    server.zone[("rude.clinic", "TXT")] = how
    begun = time.monotonic()
    answer = server.names(query_seconds=0.3).texts("rude.clinic")
    assert answer.unknown
    assert answer.fault is fault
    assert time.monotonic() - begun < 2


def test_an_answer_too_large_for_one_packet_is_asked_for_again_over_tcp(server: NameServer) -> None:
    server.txt("large.clinic", *(f"{number} " + "y" * 200 for number in range(30)))
    assert len(server.names().texts("large.clinic").values) == 30
    assert server.over_tcp == 1


@pytest.mark.parametrize("records", [["z" * 9000], [f"record {number}" for number in range(150)]])
def test_an_answer_no_honest_domain_would_give_is_refused(server: NameServer, records: list[str]) -> None:
    server.txt("huge.clinic", *records)
    assert server.names().texts("huge.clinic").fault is Fault.TOO_LARGE


def test_nobody_listening_is_silence() -> None:
    with NameServer() as gone:
        port = gone.port
    names = NameService([("127.0.0.1", port)], query_seconds=0.3)
    assert names.texts("linden.clinic").fault is Fault.SILENT


def test_a_silent_resolver_is_left_alone_after_three_questions(server: NameServer) -> None:
    places = [f"{number}.clinic" for number in range(20)]
    server.zone.update({(place, "TXT"): Rude.SILENT for place in places})
    names = server.names(query_seconds=0.1)
    assert {names.texts(place).fault for place in places} == {Fault.SILENT}
    assert names.down
    assert {place for place, _ in server.asked} == set(places[:3])


def test_an_examination_ends_in_its_time_and_the_next_has_its_own(server: NameServer) -> None:
    server.zone[("slow.clinic", "TXT")] = Rude.SILENT
    server.txt("quick.clinic", "here")
    names = server.names(query_seconds=2, examination_seconds=0.2)
    begun = time.monotonic()
    assert names.texts("slow.clinic").unknown
    assert names.texts("quick.clinic").fault is Fault.OUT_OF_TIME
    assert time.monotonic() - begun < 1
    names.begin()
    assert names.texts("quick.clinic").values == ("here",)


def test_nothing_is_asked_twice(server: NameServer) -> None:
    server.txt("linden.clinic", "here")
    names = server.names()
    assert names.texts("linden.clinic") == names.texts("Linden.Clinic")
    assert server.asked == [("linden.clinic", "TXT")]


@pytest.mark.parametrize(
    "name", ["", ".", "a..clinic", "x" * 64 + ".clinic", "a." * 200 + "clinic", "ü.clinic", "a b.c"]
)
def test_what_can_be_no_name_is_not_asked(server: NameServer, name: str) -> None:
    assert server.names().texts(name).unknown
    assert server.asked in ([], [("", "TXT")])


def test_what_a_stranger_wrote_is_shown_in_plain_letters_and_not_for_long() -> None:
    assert printable("v=spf1\x1b[31m\r\n\u202e -all\0") == "v=spf1?[31m??? -all?"
    assert len(printable("x" * 100_000)) < 220


def test_octets_beyond_ascii_are_kept_one_by_one(server: NameServer) -> None:
    server.zone[("odd.clinic", "TXT")] = [text(b"\x00\xff\x1b")]
    assert server.names().texts("odd.clinic").values == ("\x00\xff\x1b",)
