"""Messages that must not go: without the consultation, without a way out, with something loaded from elsewhere."""

import dataclasses

import pytest

from reminders.mail.check import MessageRefused, complaints, ensure_sendable
from reminders.mail.message import MessageLinks, RenderedMessage
from tests.mail.letters import GOLDEN_LETTERS, LINKS, NO_LINKS, RENDERER, STEPS, bare, facts

GOOD = RENDERER.render(facts(), LINKS)


def said(rendered: RenderedMessage) -> str:
    return "; ".join(complaints(rendered, facts(), LINKS))


def with_html(addition: str) -> RenderedMessage:
    return dataclasses.replace(GOOD, html=GOOD.html.replace("</body>", f"{addition}</body>"))


def without(part: str, *pieces: str) -> RenderedMessage:
    words = getattr(GOOD, part)
    for piece in pieces:
        assert piece in words
        words = words.replace(piece, "")
    return dataclasses.replace(GOOD, **{part: words})


@pytest.mark.parametrize("name", GOLDEN_LETTERS)
def test_the_shipped_messages_have_nothing_to_complain_about(name: str) -> None:
    shown, links = GOLDEN_LETTERS[name]
    assert complaints(RENDERER.render(shown, links), shown, links) == ()


@pytest.mark.parametrize(
    ("rendered", "complaint"),
    [
        (without("text", "Your consultation\n-----------------\n"), "the text part has no consultation section"),
        (without("html", ' class="consultation"'), "the HTML part has no consultation section"),
        (without("text", "With: Dr Mary Stone"), "text part does not say who"),
        (without("html", "With: <bdi>Dr Mary Stone"), "HTML part does not say who"),
        (without("text", LINKS.stop_url or ""), "text part does not say how to stop"),
        (without("html", LINKS.stop_url or ""), "HTML part does not say how to stop"),
        (without("text", "1 Quay Street, London N1 1AA"), "text part lacks the clinic's postal address"),
        (without("html", "1 Quay Street, London N1 1AA"), "HTML part lacks the clinic's postal address"),
        (without("text", "Harbour Clinic"), "text part does not name the clinic"),
        (without("html", "Harbour Clinic"), "HTML part does not name the clinic"),
        (without("text", "Odile"), "text part greets nobody"),
        (without("html", "Odile"), "HTML part greets nobody"),
        (
            without(
                "text",
                LINKS.request_url or "",
                "+44 20 7946 0018",
                "https://harbour.example/visit",
                "desk@harbour.example",
            ),
            "text part does not say how to reach",
        ),
        (
            without(
                "html",
                LINKS.request_url or "",
                "+44 20 7946 0018",
                "https://harbour.example/visit",
                "desk@harbour.example",
            ),
            "HTML part does not say how to reach",
        ),
        (dataclasses.replace(GOOD, text=""), "the text part has no consultation section"),
        (dataclasses.replace(GOOD, html=""), "the HTML part has no consultation section"),
    ],
)
def test_a_message_that_lacks_what_each_must_say_is_refused(rendered: RenderedMessage, complaint: str) -> None:
    assert complaint in said(rendered)


def test_what_stands_after_the_section_is_no_part_of_it() -> None:
    moved = (
        GOOD.text.replace("With: Dr Mary Stone\n", "").replace("Good to know\n", "Good to know\n", 1) + "Dr Mary Stone"
    )
    assert "text part does not say who" in said(dataclasses.replace(GOOD, text=moved))


@pytest.mark.parametrize(
    "addition",
    [
        '<img src="https://harbour.example/p.gif">',
        "<img>",
        '<IMG SRC="cid:x">',
        '<link rel="stylesheet" href="https://harbour.example/visit">',
        "<script>1</script>",
        '<form action="https://harbour.example/visit"></form>',
        '<iframe src="//x"></iframe>',
        '<p style="background: url(https://x.example/p)">x</p>',
        '<p style="background: u\\72l(x)">x</p>',
        "<style>@import 'x';</style>",
        "<style>@font-face { src: local(x) }</style>",
        '<table background="x"></table>',
        "<video></video>",
        '<object data="x"></object>',
        '<base href="https://harbour.example/visit">',
        '<meta http-equiv="refresh" content="0;url=https://x.example">',
        '<p onclick="x()">x</p>',
        "<!-- hidden -->",
        "<!--[if mso]><v:rect></v:rect><![endif]-->",
        '<p style="display : none">x</p>',
        "<p hidden>x</p>",
        '<a href="https://evil.example/">x</a>',
        '<a href="http://harbour.example/visit">x</a>',
        '<a href="https://harbour.example/visit/more">x</a>',
        '<a href="//harbour.example/visit">x</a>',
        '<a href="javascript:x">x</a>',
        '<a href="data:text/html,x">x</a>',
        '<a href="mailto:other@evil.example">x</a>',
        '<a href="tel:+1900">x</a>',
        '<a href=" https://harbour.example/visit">x</a>',
        '<area href="https://harbour.example/visit">',
        "<p>{{ name }}</p>",
        "<p>{% if %}</p>",
        "<p>None</p>",
        "<p>Hello undefined,</p>",
        "<svg></svg>",
    ],
)
def test_html_that_loads_hides_or_links_elsewhere_is_refused(addition: str) -> None:
    assert complaints(with_html(addition), facts(), LINKS)


@pytest.mark.parametrize(
    "addition", ["https://evil.example", "http://harbour.example/visit", "www.evil.example", "ftp://x"]
)
def test_text_that_links_elsewhere_is_refused(addition: str) -> None:
    assert "the text part links to an unknown place" in said(
        dataclasses.replace(GOOD, text=f"{GOOD.text}\n{addition}\n")
    )


def test_a_person_whose_name_is_a_link_is_not_written_to() -> None:
    shown = facts(patient_name="https://evil.example")
    assert complaints(RENDERER.render(shown, LINKS), shown, LINKS)


@pytest.mark.parametrize(
    "subject", ["", "  ", "x" * 151, "a\r\nBcc: x@y.test", "a\nb", "a\0b", "a\u2028b", "{{ sender }}"]
)
def test_a_subject_that_is_none_is_refused(subject: str) -> None:
    assert "the subject" in said(dataclasses.replace(GOOD, subject=subject))


@pytest.mark.parametrize("name", ["Second to None Clinic", "{{ Curly }} Clinic", "undefined"])
def test_a_clinic_may_be_called_what_a_broken_template_would_show(name: str) -> None:
    shown = facts(clinic_name=name)
    assert complaints(RENDERER.render(shown, LINKS), shown, LINKS) == ()


@pytest.mark.parametrize("representative", [False, True])
@pytest.mark.parametrize("name", ["", " ", "\u00a0"])
@pytest.mark.parametrize(("class_name", "stage"), STEPS)
def test_a_person_without_a_name_in_the_records_is_greeted_without_one(
    class_name: str, stage: str, name: str, *, representative: bool
) -> None:
    shown = facts(class_name=class_name, stage=stage, patient_name=name, recipient_is_representative=representative)
    rendered = RENDERER.render(shown, LINKS)
    assert complaints(rendered, shown, LINKS) == ()
    assert rendered.text.startswith("Hello,\n\n")
    assert rendered.html.count(">Hello,</p>") == 1
    assert "<bdi></bdi>" not in rendered.html
    assert " ," not in rendered.text
    assert " ." not in rendered.text
    assert ("representative of a patient." in " ".join(rendered.text.split())) == representative


def test_our_own_links_are_https_or_none() -> None:
    links = MessageLinks("http://reminders.harbour.example/p/" + "q" * 43, LINKS.stop_url)
    assert "the request link is no https address" in complaints(RENDERER.render(facts(), links), facts(), links)


def test_a_booking_page_without_https_is_refused() -> None:
    shown = facts(booking_url="http://harbour.example/visit")
    assert complaints(RENDERER.render(shown, LINKS), shown, LINKS)


def test_a_link_in_a_message_without_links_is_refused() -> None:
    assert complaints(GOOD, bare(), NO_LINKS)


def test_an_html_part_that_mail_programs_would_cut_off_is_refused() -> None:
    assert "over 100000 bytes" in said(with_html("<p>" + "word " * 20_000 + "</p>"))


def test_a_refusal_names_every_complaint_and_no_person() -> None:
    broken = RenderedMessage("Harbour Clinic: x", "Odile", "Odile", "1")
    with pytest.raises(MessageRefused) as caught:
        ensure_sendable(broken, facts(), LINKS)
    assert str(caught.value).startswith("The message is not sent: the text part has no consultation section; ")
    assert "Odile" not in str(caught.value)
    ensure_sendable(GOOD, facts(), LINKS)
