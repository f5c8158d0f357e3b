"""Addresses: one each, one spelling each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.mail.address import BadAddress, mailto, normalise, parse_address, sender_domain


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("odile@home.example", "odile@home.example"),
        ("  odile@home.example\t", "odile@home.example"),
        ("\u00a0odile@home.example", "odile@home.example"),
        ("Odile.B+skin@HOME.Example", "Odile.B+skin@home.example"),
        ("odile@bücher.example", "odile@xn--bcher-kva.example"),
        ("o'neil@clinic.test", "o'neil@clinic.test"),
        ("x@sub.domain.co.uk", "x@sub.domain.co.uk"),
    ],
)
def test_an_address_is_read(written: str, read: str) -> None:
    assert parse_address(written) == read


def test_spellings_of_one_mailbox_are_hashed_alike() -> None:
    spellings = ["Odile@Bücher.example", " odile@XN--BCHER-KVA.example", "ODILE@bücher.EXAMPLE"]
    assert {normalise(spelling) for spelling in spellings} == {"odile@xn--bcher-kva.example"}


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("", "it is empty"),
        ("odile", "it has no @"),
        ("a@x.example, b@y.example", "more than the address itself"),
        ("ödile@home.example", "letters that mail servers do not take"),
        ("odile@home", "not written as a name, an @ and a domain"),
    ],
)
def test_what_is_wrong_is_said_without_the_address(written: str, problem: str) -> None:
    with pytest.raises(BadAddress, match=problem) as caught:
        parse_address(written)
    assert not written or written not in str(caught.value)


def test_the_domain_of_a_sender() -> None:
    assert sender_domain("Hello@Bücher.Example") == "xn--bcher-kva.example"


def test_a_mailto_link_is_percent_encoded() -> None:
    assert mailto("a+b&c'd@x.example", "STOP it") == "mailto:a%2Bb%26c%27d@x.example?subject=STOP%20it"
    assert mailto("desk@x.example") == "mailto:desk@x.example"


@given(st.text(max_size=80))
def test_whatever_is_read_as_an_address_is_read_so_again(text: str) -> None:
    try:
        read = parse_address(text)
    except BadAddress:
        return
    assert parse_address(read) == read
    assert normalise(normalise(read)) == normalise(read)
    assert read.isascii()
    assert read.isprintable()
    assert not set(read) & set(' <>,;:"\\')
