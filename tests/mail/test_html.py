"""What the check reads of an HTML part: what people see of it, and what no mail may hold."""

import pytest

from reminders.mail.html import read_html
from tests.mail.letters import LINKS, RENDERER, facts

GOOD = RENDERER.render(facts(), LINKS).html
OUTLOOK = "<!--[if mso | IE]>{}<![endif]-->"


def forbidden(html: str) -> tuple[str, ...]:
    return read_html(f"<html><body><p>x</p>{html}</body></html>").forbidden


def test_the_products_own_frame_holds_nothing_forbidden() -> None:
    read = read_html(GOOD)
    assert read.forbidden == ()
    assert read.pictures == ()
    assert "With: Dr Mary Stone" in " ".join(read.section.split())
    assert "Good to know" not in read.section
    assert read.preheader
    assert read.preheader not in read.text


@pytest.mark.parametrize(
    "hidden",
    [
        '<p style="display:none">x</p>',
        '<p style="display : none !important">x</p>',
        '<p style="DISPLAY:/**/NONE">x</p>',
        '<p style="visibility:hidden">x</p>',
        '<div style="display:none"><p style="display:block">x</p></div>',
        '<div style="display:none"><table><tr><td>x</td></tr></table></div>',
        '<p style="opacity:0">x</p>',
        '<p style="opacity:0.0">x</p>',
        '<p style="opacity: 0%">x</p>',
        '<p style="mso-hide:all">x</p>',
        '<p style="max-height:0;overflow:hidden">x</p>',
        '<p style="width:0px;overflow:hidden">x</p>',
        '<p style="font-size:0">x</p>',
        '<p style="font-size:0px">x</p>',
        '<p style="font-size:1px">x</p>',
        '<p style="font-size:.1em">x</p>',
        '<p style="font-size:2%">x</p>',
        '<p style="font:1px/1 a">x</p>',
        '<p style="font:0/0 a">x</p>',
        '<p style="font:bold 0 arial">x</p>',
        '<p style="font: 600 2px/1.4 arial">x</p>',
        '<div style="font-size:20px"><p style="font-size:0.1em">x</p></div>',
        '<td style="font-size:0"><span>x</span></td>',
        '<p style="text-indent:-9999px">x</p>',
        '<p style="position:absolute;left:-9999px">x</p>',
        '<p style="clip:rect(0 0 0 0)">x</p>',
        '<p style="transform:scale(0)">x</p>',
        '<p style="color:transparent">x</p>',
        "<p hidden>x</p>",
        "<div hidden><a href='https://harbour.example/visit'>x</a></div>",
        '<a href="https://harbour.example/visit" style="display:none"></a>',
        '<div class="preheader" style="display:none">x</div>',
        "<style>p { display: none }</style>",
        "<style>.x{visibility:hidden}</style>",
    ],
)
def test_words_that_nobody_sees_are_found(hidden: str) -> None:
    assert forbidden(hidden) in {("hidden words",), ("a style that hides words",)}


@pytest.mark.parametrize(
    "seen",
    [
        '<td style="font-size:0px"><div style="font-size:16px">x</div></td>',
        '<td style="font-size:0px"> \n <p style="font-size:1rem">x</p></td>',
        '<p style="font-size:0.9em">x</p>',
        '<p style="overflow:hidden;max-width:540px;width:100%">x</p>',
        '<p style="opacity:0.9">x</p>',
        '<p style="font:600 16px/1.4 arial">x</p>',
        '<p style="text-transform:none">x</p>',
        '<div style="display:none"></div>',
    ],
)
def test_a_table_may_set_its_letters_to_nothing_where_none_stand_in_it(seen: str) -> None:
    assert forbidden(seen) == ()


def test_hidden_words_count_for_nothing() -> None:
    read = read_html('<div class="consultation"><p style="font-size:0">Dr Mary Stone</p><p>Call</p></div>')
    assert read.section == "Call"


@pytest.mark.parametrize(
    "marks",
    [
        '<table role="presentation" width="600"><tr><td style="width:600px;font-size:0px">',
        "</td></tr></table>",
        '</td></tr><tr><td width="580px" class="consultation-outlook">',
        "",
    ],
)
def test_a_comment_that_gives_outlook_its_tables_may_stay(marks: str) -> None:
    assert forbidden(OUTLOOK.format(marks)) == ()


@pytest.mark.parametrize(
    "comment",
    [
        "<!-- x -->",
        "<!---->",
        OUTLOOK.format("x"),
        OUTLOOK.format("&nbsp;x"),
        OUTLOOK.format("<p>"),
        OUTLOOK.format("<v:rect>"),
        OUTLOOK.format('<td style="display:none">'),
        OUTLOOK.format('<td style="mso-hide:all">'),
        OUTLOOK.format('<td style="background:url(x)">'),
        OUTLOOK.format('<td background="x">'),
        OUTLOOK.format('<td onclick="x">'),
        OUTLOOK.format('<td id="x">'),
        OUTLOOK.format("<style>td{}</style>"),
        OUTLOOK.format("<script></script>"),
        OUTLOOK.format("<!doctype x>"),
        OUTLOOK.format("<?xml x?>"),
        OUTLOOK.format("<![endif]><p>"),
        OUTLOOK.format("<table"),
        OUTLOOK.format("<table><!--"),
        OUTLOOK.format("<a href='https://harbour.example/visit'>"),
        "<!--[if mso]><table><![endif]-->",
        "<!--[if !mso]><!--><p>x</p><!--<![endif]-->",
        "<!--[if mso | IE]><table>-->",
        "<![if mso]><p>x</p><![endif]>",
    ],
)
def test_every_other_comment_is_refused(comment: str) -> None:
    assert forbidden(comment) != ()


@pytest.mark.parametrize(
    "picture",
    [
        '<img src="https://harbour.example/p.gif" alt="x" width="1" height="1">',
        '<img src="data:image/png;base64,x" alt="x" width="1" height="1">',
        '<img src=" cid:x" alt="x" width="1" height="1">',
        '<img src="cid:x" width="1" height="1">',
        '<img src="cid:x" alt="" width="1" height="1">',
        '<img src="cid:x" alt="x" width="1">',
        '<img src="cid:x" alt="x" width="1" height="1" srcset="https://x.example/p">',
        '<img src="cid:x" alt="x" width="1" height="1" onload="x">',
        '<input type="image" src="cid:x" alt="x" width="1" height="1">',
    ],
)
def test_a_picture_that_does_not_travel_along_or_has_no_words_is_refused(picture: str) -> None:
    assert forbidden(picture) != ()


def test_a_picture_that_travels_along_is_told_with_its_words() -> None:
    read = read_html('<h1><img src="cid:a@b" alt="Harbour Clinic" width="1" height="1"/></h1>')
    assert (read.pictures, read.text, read.forbidden) == (("cid:a@b",), "Harbour Clinic", ())


def test_a_section_marked_as_mails_of_before_marked_it_is_still_found() -> None:
    assert read_html('<div data-part="consultation"><p>Call</p></div><p>x</p>').section == "Call"


def test_only_the_first_words_of_a_mail_can_be_a_preheader() -> None:
    twice = '<div class="preheader" style="display:none">x</div>' * 2
    assert read_html(twice).forbidden == ("hidden words",)
    assert read_html("<p>y</p>" + twice).forbidden == ("hidden words",)
    assert read_html('<div class="preheader" style="display:none"><a href="https://x">x</a></div>').forbidden
