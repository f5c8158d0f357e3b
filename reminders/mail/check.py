"""The last look at a rendered message: whether it says what each must say, and holds nothing that none may hold.

Invariant: no message passes whose text part or HTML part lacks the consultation section (who, and how to reach them),
the way to stop, the clinic's name or its postal address; and none that loads something from elsewhere, or links to a
place that is neither the clinic's booking page nor the product's own; and none that says, anywhere a patient could see
it, what the advertising rules of the clinic's jurisdiction forbid.
"""

import itertools
import re
import unicodedata

from reminders.errors import CannotDo
from reminders.mail import wording
from reminders.mail.address import mailto
from reminders.mail.advertising.jurisdiction import Finding, findings, rules_of, terms_of_places
from reminders.mail.advertising.visible_words import NUMBER
from reminders.mail.html import HtmlPart, read_html
from reminders.mail.link_like import VALUE, holds_link, without_values
from reminders.mail.message import MessageFacts, MessageLinks, RenderedMessage, logo_id
from reminders.mail.unseen import piled, unprintable
from reminders.mail.words import words

LONGEST_SUBJECT = 150
LARGEST_HTML = 100_000  # bytes; from 102 kB on, Gmail cuts a message off, and with it the way to stop
MOST_LINES = 250  # of the text part; the longest shipped message has a third of that
MOST_BREAKS = 50  # in the HTML part; a template has 40 at most, the frame a handful
_ISOLATES = frozenset("\u2066\u2067\u2068\u2069")  # the frame sets names apart with them
_UNFILLED = ("{{", "}}", "{%", "%}", "{#")
_NOTHING = frozenset({"None", "undefined", "Undefined", "nan", "NaN"})
_EMPTY = "|".join(sorted(_NOTHING))
_BESIDE_A_NAME = re.compile(
    rf"\w(?:www\.|(?i:mailto|tel|sms|javascript|vbscript|data):)|\b(?:{_EMPTY})\w|\w(?:{_EMPTY})\b|(\w\w+)(?:{_EMPTY})(?i:\1)"
)
_ENDS = ".,;:!?()[]<>\"'"


class MessageRefused(CannotDo):
    """The message is not sent: {complaints}. Mend the template, or the clinic's details."""


def ensure_sendable(rendered: RenderedMessage, facts: MessageFacts, links: MessageLinks) -> None:
    """Raise `MessageRefused` with every complaint about a message, if there is one."""
    if found := complaints(rendered, facts, links):
        raise MessageRefused(complaints="; ".join(found))


def complaints(rendered: RenderedMessage, facts: MessageFacts, links: MessageLinks) -> tuple[str, ...]:
    """Return what is wrong with a message, as clauses without personal data; empty where it may go."""
    html = read_html(rendered.html)
    found = [
        *_about_subject(rendered.subject, facts),
        *_about_room(rendered),
        *_about_part(
            "text", _plain(rendered.text), _plain(section_of_text(rendered.text, facts.language)), facts, links
        ),
        *_about_part("HTML", _plain(html.text), _plain(html.section), facts, links),
        *_about_links_in_text(rendered.text, facts, links),
        *_about_html(html, facts, links),
        *(f"the {name} link is no https address" for name, url in _own_links(links) if not url.startswith("https://")),
        *(_refusal(one, facts) for one in _terms(rendered, facts, links) if one.severity == "error"),
    ]
    if len(rendered.html.encode()) > LARGEST_HTML:
        found.append(f"the HTML part is over {LARGEST_HTML} bytes")
    return tuple(found)


def warnings(rendered: RenderedMessage, facts: MessageFacts, links: MessageLinks) -> tuple[str, ...]:
    """Return what to look at in a message that may go: words that this product's rules, or a law, frown upon."""
    found = (one for one in _terms(rendered, facts, links) if one.severity == "warning")
    return tuple(f"the {one.where} holds {one.what}: {one.instead}" for one in found)


def depends_on_names(rendered: RenderedMessage, facts: MessageFacts, links: MessageLinks) -> bool:
    """Tell whether another name could change what is found in words beside it.

    Who is called Ho would make a link of "Hotel:", since known names are not read along; who is called Theless would
    leave a None of "Nonetheless"; and where a clinic is called "5 Star Reviews", a name before "star reviews" counts
    as a number.
    """
    if any(NUMBER in term for term in terms_of_places(_details(facts))):
        return True
    values = [*_shown_values(facts, links), *_known_links(facts, links)]
    texts = (_plain(rendered.text), _plain(read_html(rendered.html).text))
    return any(_BESIDE_A_NAME.search(without_values(text, values)) for text in texts)


def _refusal(found: Finding, facts: MessageFacts) -> str:
    return f"the {found.where} holds {found.what}, which {rules_of(facts.jurisdiction)} do not allow: {found.instead}"


def _terms(rendered: RenderedMessage, facts: MessageFacts, links: MessageLinks) -> tuple[Finding, ...]:
    """Return what the word lists find in everything a patient sees of a message.

    The tokens of the product's own links are left out: they are made by chance, and chance writes words too.
    """
    shown = {
        "subject": rendered.subject,
        "text part": rendered.text,
        "HTML part": rendered.html,
        "sender": f"{facts.sender_name} {facts.sender_address}",
        "reply-to": facts.reply_to,
    }
    for _, url in _own_links(links):
        shown = {where: text.replace(url, url.rpartition("/")[0]) for where, text in shown.items()}
    names = [name for name in (facts.patient_name, facts.practitioner) if name]
    return findings(shown, facts.jurisdiction, spared=names, details=_details(facts))


def _details(facts: MessageFacts) -> list[str]:
    """Return the names and addresses of the clinic that its messages show."""
    details = (facts.clinic_name, facts.sender_name, facts.sender_address, facts.reply_to, facts.phone)
    return [text for text in (*details, facts.booking_url, facts.postal_address) if text]


def _about_subject(subject: str, facts: MessageFacts) -> list[str]:
    found = []
    if not subject.strip():
        found.append("the subject is empty")
    if len(subject) > LONGEST_SUBJECT:
        found.append(f"the subject is over {LONGEST_SUBJECT} characters")
    if any(unicodedata.category(mark) in {"Cc", "Zl", "Zp"} for mark in subject):
        found.append("the subject holds a control character")
    if any(mark in subject for mark in _UNFILLED):
        found.append("the subject holds an unfilled template mark")
    own = [facts.sender_name, facts.clinic_name, *facts.sender_name.split()]  # a long name is shortened by words
    if holds_link(without_values(subject, own)):
        found.append("the subject holds an address that is not the clinic's")
    return found


def _about_room(rendered: RenderedMessage) -> list[str]:
    """Return whether something pushes the product's own sections out of sight."""
    too_long = rendered.text.count("\n") > MOST_LINES or rendered.html.count("<br") > MOST_BREAKS
    return ["so many lines that the consultation section is out of sight"] if too_long else []


def _about_part(part: str, text: str, section: str, facts: MessageFacts, links: MessageLinks) -> list[str]:
    """Return what a part lacks. `section` is its consultation section, empty where it has none."""
    found = []
    if not section:
        found.append(f"the {part} part has no consultation section")
    elif _plain(wording.who_sees_the_patient(facts)) not in section:
        found.append(f"the consultation section of the {part} part does not say who sees the patient")
    if section and not any(way in section for way in _ways_to_ask(facts, links)):
        found.append(f"the consultation section of the {part} part does not say how to reach the clinic")
    if not any(way in text for way in _ways_to_stop(links)):
        found.append(f"the {part} part does not say how to stop these messages")
    if _plain(facts.clinic_name) not in text:
        found.append(f"the {part} part does not name the clinic")
    if _plain(facts.patient_name) not in text:  # who has no name in the records is greeted without one
        found.append(f"the {part} part greets nobody")
    if _plain(wording.address_on_one_line(facts.postal_address)) not in text:
        found.append(f"the {part} part lacks the clinic's postal address")
    return found + _about_leftovers(part, text, facts, links)


def _about_leftovers(part: str, text: str, facts: MessageFacts, links: MessageLinks) -> list[str]:
    """Return complaints about template marks and empty values; a clinic may be called "Second to None"."""
    marked = without_values(text, [*_shown_values(facts, links), *_known_links(facts, links)])
    bare = marked.replace(VALUE, " ")
    found = []
    if holds_link(marked):
        found.append(f"the {part} part holds an address that is neither the clinic's nor the product's")
    if any(unprintable(mark) for mark in set(bare) - _ISOLATES) or piled(bare):
        found.append(f"the {part} part holds letters that cannot be seen, or accents piled on one letter")
    if any(mark in bare for mark in _UNFILLED):
        found.append(f"the {part} part holds an unfilled template mark")
    if any(word.strip(_ENDS) in _NOTHING for word in bare.split()):
        found.append(f"the {part} part shows an empty value")
    return found


def _about_links_in_text(text: str, facts: MessageFacts, links: MessageLinks) -> list[str]:
    known = _known_links(facts, links)
    addresses = [word for word in text.split() if "://" in word or word.strip(_ENDS).lower().startswith("www.")]
    unknown = any(word not in known and word.strip(_ENDS) not in known for word in addresses)
    return ["the text part links to an unknown place"] if unknown else []


def _about_html(html: HtmlPart, facts: MessageFacts, links: MessageLinks) -> list[str]:
    known = _known_links(facts, links)
    found = [f"the HTML part holds {what}" for what in html.forbidden]
    if any(link not in known for link in html.links):
        found.append("the HTML part links to an unknown place")
    if html.pictures != ((f"cid:{logo_id(facts)}",) if facts.logo else ()):
        found.append("the HTML part shows a picture that is not the clinic's logo")
    if html.preheader not in ("", _plain(words(wording.ROOM, facts.language)["preheader"])):
        found.append("the HTML part holds hidden words")
    return found


def _known_links(facts: MessageFacts, links: MessageLinks) -> set[str]:
    known = {url for _, url in _own_links(links)} | {mailto(facts.reply_to), mailto(facts.reply_to, "STOP")}
    if facts.booking_url and facts.booking_url.startswith("https://"):
        known.add(facts.booking_url)
    if dialled := wording.phone_link(facts.phone):
        known.add(dialled)
    return known


def _own_links(links: MessageLinks) -> list[tuple[str, str]]:
    return [(name, url) for name, url in (("request", links.request_url), ("stop", links.stop_url)) if url]


def _ways_to_ask(facts: MessageFacts, links: MessageLinks) -> list[str]:
    ways = (links.request_url, facts.phone, facts.booking_url, facts.reply_to)
    return [_plain(way) for way in ways if way]


def _ways_to_stop(links: MessageLinks) -> list[str]:
    return [links.stop_url] if links.stop_url else ["STOP"]


def _shown_values(facts: MessageFacts, links: MessageLinks) -> list[str]:
    values = (
        *(facts.clinic_name, facts.sender_name, facts.reply_to, facts.phone, facts.booking_url, facts.patient_name),
        *(facts.practitioner, facts.label, wording.address_on_one_line(facts.postal_address)),
        *(links.request_url, links.stop_url),
    )
    return [_plain(value) for value in values if value and value.strip()]


def section_of_text(text: str, language: str) -> str:
    """Return the text below the consultation's underlined heading, up to the next one; empty where it is missing."""
    heading = wording.consultation_heading(language)
    lines = text.split("\n")
    headings = [at for at, line in enumerate(lines[1:]) if line and set(line) == {"-"} and lines[at]]
    for here, following in itertools.pairwise([*headings, len(lines)]):
        if lines[here] == heading:
            return "\n".join(lines[here + 2 : following])
    return ""


def _plain(text: str) -> str:
    """Return the text on one line with single blanks, so that a wrapped name is still found."""
    return " ".join(text.split())
