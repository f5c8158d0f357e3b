"""What a template may say, whoever the patient is: rules on its words and values, in every branch of every choice.

Invariant: a rule looks at the template, not at one message made of it, so that a branch which nobody takes today is
examined too; every complaint names a line. (Rules: product page 8, and the wording page for lengths and subjects.)
"""

import re
from collections.abc import Iterator, Mapping

from reminders.mail.advertising.jurisdiction import Finding, findings
from reminders.mail.link_like import holds_link
from reminders.mail.message import MessageFacts
from reminders.mail.templates import cleaning
from reminders.mail.templates.around_values import about_beginnings, about_neighbours
from reminders.mail.templates.file import PILED, Complaint
from reminders.mail.templates.frame_words import doubtful, letters, wrong_beside_frame, wrong_in_links
from reminders.mail.templates.outline import Pieces, Shown, Way, values, ways
from reminders.mail.templates.room import about_room
from reminders.mail.templates.subject import wrong_in_subject
from reminders.mail.unseen import piled, unprintable

MOST_WORDS: Mapping[str, int] = {"invitation": 150, "follow_up": 110, "last_call": 80}
LONGEST_SENTENCE = 20
LONGEST_SUBJECT = 50
MOST_LETTERS = 4_000
LONGEST_WORD = 80
"""Letters, so that whoever looks closely has little to look at; the longest ordinary words have half as many."""

OPTIONAL = frozenset({"name", "phone", "booking_url", "postal_address"})
"""Values that some patients or clinics lack."""

FLAGS = frozenset({"medical", "representative", "language"})
DAYS = frozenset({"opens", "closes"})
CONSULTATION: Mapping[str, tuple[str, ...]] = {
    "en": ("consultation",),
    "es": ("consulta",),
    "fr": ("consultation",),
    "de": ("beratung", "gespräch", "sprechstunde", "konsultation", "termin"),
    "pl": ("konsultacj", "wizyt"),
    "pt": ("consulta",),
    "ar": ("استشار", "موعد"),
}
"""What a subject speaks of, in each language."""

_RULE = re.compile(r"[-_=~*#+–—―─━═▬▁‾¯]{3,}")
_SENTENCE_ENDS = re.compile(r"(?<=[.?!؟])\s+|\n[ \t]*\n[ \t\n]*")
_NO_ADDRESS = (
    "it holds an address, or a dot without a blank after it, of which mail programs make a link: "
    "only {{ booking_url }} and {{ reply_to }} lead somewhere"
)


def about_values(pieces: Pieces, optional: frozenset[str] = OPTIONAL) -> Iterator[Complaint]:
    """Yield complaints about values that would read as a hole, a code or a day in figures."""
    for shown, known in values(pieces):
        name = shown.name
        if name in optional and name not in known and "default" not in shown.filters:
            yield _error(shown.line, f"{name} can be missing: write it between {{% if {name} %}} and {{% endif %}}")
        if name in FLAGS:
            yield _error(shown.line, f"{name} is there to be asked for with if, not to be shown")
        if name in DAYS and shown.filters[:1] != ("date",):
            yield _error(shown.line, f"{name} is a day: write {{{{ {name} | date }}}}")
        if "date" in shown.filters and name is not None and name not in DAYS:
            yield _error(shown.line, "date can be used with opens and closes")
        if "time" in shown.filters and name is not None:
            yield _error(shown.line, 'time can be used with a time in quotes: {{ "17:30" | time }}')


def about_subject(pieces: Pieces, facts: MessageFacts) -> Iterator[Complaint]:
    """Yield complaints about a subject: its length without the sender's name (which is shortened), and what it says."""
    yield from about_values(pieces, frozenset({"sender"}))
    yield from about_neighbours(pieces, html=False)
    if not any(shown.name in {"sender", "clinic"} for shown, _ in values(pieces)):
        yield Complaint(1, "warning", "the subject does not say who writes: show {{ sender }} in it")
    for way in ways(pieces, lambda shown: facts.clinic_name if shown.name == "clinic" else shown.text):
        if not way.text.strip():
            yield _error(1, "the subject is empty where the sender's name is too long for it")
        if len(" ".join(way.text.split())) > LONGEST_SUBJECT:
            yield _error(1, f"the subject is over {LONGEST_SUBJECT} letters, not counting the sender's name")
            return
    for way in ways(pieces, _nothing):
        yield from (_error(1, what) for what in wrong_in_subject(way.text, facts.language))
        if not any(word in way.text.casefold() for word in CONSULTATION.get(facts.language, ("",))):
            spoken = CONSULTATION[facts.language][0]
            yield Complaint(1, "warning", f'the subject does not speak of a consultation (such as "{spoken}")')


def about_text(pieces: Pieces, facts: MessageFacts, filled: Mapping[str, str]) -> Iterator[Complaint]:
    """Yield complaints about the text part; `filled` are the values of an ordinary patient, to count words with."""
    yield from about_values(pieces)
    yield from about_beginnings(pieces, facts.language)
    yield from _about_prose(pieces, facts, filled, html=False)


def about_html(pieces: Pieces, facts: MessageFacts, filled: Mapping[str, str]) -> Iterator[Complaint]:
    """Yield complaints about the clinic's own HTML."""
    yield from about_values(pieces)
    yield from cleaning.complaints(pieces)
    yield from _about_prose(pieces, facts, filled, html=True)


def about_terms(pieces: Pieces, where: str, facts: MessageFacts) -> Iterator[Complaint]:
    """Yield what the word lists of the clinic's jurisdiction find in any branch, with the line it stands on."""
    for way in ways(pieces, _nothing):
        text = way.text[: 5 * MOST_LETTERS]
        for found in findings({where: text}, facts.jurisdiction):
            lines = text.split("\n")
            at = next((at for at, line in enumerate(lines) if _holds(line, found, facts)), 0)
            number = way.line_at(sum(len(line) + 1 for line in lines[:at]))
            yield Complaint(number, found.severity, f"it holds {found.what}: {found.instead}")


def about_both(text: Pieces, html: Pieces, filled: Mapping[str, str], html_line: int) -> Iterator[Complaint]:
    """Yield a warning where the HTML says something else than the text does."""
    said, shown = (next(ways(part, lambda one: _shown(one, filled))).text for part in (text, html))
    if letters(said) != letters(cleaning.words_of(shown)):
        yield Complaint(html_line, "warning", "the HTML does not say the same words as the text")


def _about_prose(pieces: Pieces, facts: MessageFacts, filled: Mapping[str, str], *, html: bool) -> Iterator[Complaint]:
    for way in ways(pieces, _nothing):
        said = cleaning.words_of(way.text) if html else way.text
        if len(said) > MOST_LETTERS or any(len(word) > LONGEST_WORD for word in said.split()):
            yield _error(way.line_at(0), f"it has over {MOST_LETTERS} letters, or a word over {LONGEST_WORD}")
            return
    yield from _about_length(pieces, facts, filled, html=html)
    yield from about_room(pieces, html=html)
    yield from about_neighbours(pieces, html=html)
    for way in ways(pieces, _nothing):
        yield from _about_words(way, html=html)
        if html:
            yield from (_error(way.line_at(0), what) for what in wrong_in_links(way.text))


def _about_length(pieces: Pieces, facts: MessageFacts, filled: Mapping[str, str], *, html: bool) -> Iterator[Complaint]:
    most = MOST_WORDS[facts.stage]
    for way in ways(pieces, lambda shown: _shown(shown, filled)):
        said = cleaning.words_of(way.text) if html else way.text
        if len(said.split()) > most:
            yield _error(way.line_at(0), f"it has {len(said.split())} words, and this step has at most {most}")
            return
        offset = 0
        for sentence in _SENTENCE_ENDS.split(said):
            if len(sentence.split()) > LONGEST_SENTENCE:
                at = way.text.find(sentence[:LONGEST_SENTENCE], offset)
                what = f"a sentence has {len(sentence.split())} words: over {LONGEST_SENTENCE} are hard to read"
                yield Complaint(way.line_at(max(at, 0)), "warning", what)


def _about_words(way: Way, *, html: bool) -> Iterator[Complaint]:
    """Yield complaints about words that would be taken for the product's own sections, or lead elsewhere.

    Each line is looked at, then all of them together: a tag or a line's end may part a word or a heading.
    """
    begin, found = 0, set[str]()
    for line in way.text.split("\n"):
        for what in _wrong(cleaning.words_of(line) if html else line):
            found.add(what)
            yield _error(way.line_at(begin), what)
        for what in doubtful(cleaning.words_of(line) if html else line):
            yield Complaint(way.line_at(begin), "warning", what)
        begin += len(line) + 1
    for what in _wrong(cleaning.words_of(way.text) if html else way.text):
        if what not in found:
            yield _error(way.line_at(0), what)


def _wrong(said: str) -> Iterator[str]:
    if any(unprintable(mark) for mark in said if mark not in "\n\t"):
        yield "it holds a character that cannot be seen: remove it"
    if any(mark in said for mark in ("{{", "}}", "{%", "%}", "{#")):
        yield "it holds a mark of a template, written as HTML's signs"
    if _RULE.search(said):
        yield "it holds a drawn line, which the product's own sections begin with"
    if piled(said):
        yield PILED
    if holds_link(said):
        yield _NO_ADDRESS
    yield from wrong_beside_frame(said)


def _shown(shown: Shown, filled: Mapping[str, str]) -> str:
    return (filled.get(shown.name, "") if shown.name else shown.text) or shown.instead


def _holds(line: str, found: Finding, facts: MessageFacts) -> bool:
    return any(one.term == found.term for one in findings({found.where: line}, facts.jurisdiction))


def _nothing(shown: Shown) -> str:
    """Return what the template itself says where a value stands: words in quotes, or those instead of a value."""
    return shown.text or shown.instead


def _error(line: int, what: str) -> Complaint:
    return Complaint(line, "error", what)
