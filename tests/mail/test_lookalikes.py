"""Letters as an eye reads them."""

# ruff: noqa: RUF001 - look-alikes are what this is about

import string

import pytest

from reminders.mail.advertising.lookalikes import folded, shape, single, with_signs_as_letters


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Straße", "strasse"),
        ("Łódź", "lodz"),
        ("Ærø", "aero"),
        ("ﬁnal", "final"),
        ("ŞİŞLİ", "sisli"),
        ("а\u0301", "a"),
        ("ₓ", "x"),
        ("١٢٣", "123"),
        ("أحمد", "احمد"),
        ("مـــرحبا", "مرحبا"),
        ("ﻣﺮﺣﺒﺎ", "مرحبا"),
        ("\U000e0062\U000e006f", ""),
        ("ҟ", "k"),
    ],
)
def test_a_letter_is_read_by_its_shape(written: str, read: str) -> None:
    assert folded(written) == read


def test_small_ascii_stays_as_it_is() -> None:
    plain = string.ascii_lowercase + string.digits + string.punctuation + " \n\t"
    assert folded(plain) == plain
    assert folded(plain + "\u200b") == plain


def test_reading_again_changes_nothing() -> None:
    for code in (*range(0x20, 0x3000), *range(0xA000, 0xABFF), *range(0xFB00, 0x10000), *range(0x1D400, 0x1F200)):
        once = folded(chr(code))
        assert folded(once) == once, hex(code)


@pytest.mark.parametrize(("written", "read"), [("b0t", "bot"), ("|3it", "bit"), ("50%", None), ("10:00", None)])
def test_a_sign_beside_a_letter_may_be_a_letter(written: str, read: str | None) -> None:
    assert with_signs_as_letters(written) == read


def test_a_glance_confuses_what_looks_alike() -> None:
    assert shape("vvrinkle") == shape("wrinkie")
    assert shape("xeornin") == shape("xeomin")
    assert single("aabbcca") == "abca"
