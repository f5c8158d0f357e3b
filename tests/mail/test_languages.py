"""The shipped words of every language, measured: lengths, what each message says and never says, one language alone."""

import functools
import html
import itertools
import re
from typing import get_args

import pytest

from reminders.mail.check import complaints, warnings
from reminders.mail.message import Jurisdiction, MessageClass, MessageFacts, MessageLinks, RenderedMessage, Stage
from reminders.mail.words import LANGUAGES, words
from tests.mail import phrases
from tests.mail.forbidden import CONSULTATION, forbidden_in, forbidden_in_subject, plain
from tests.mail.letters import LINKS, NO_LINKS, RENDERER, STAGES, STEPS, bare, facts

MOST_WORDS = {"invitation": 150, "follow_up": 110, "last_call": 80}
LONGEST_SENTENCE = 20
LETTERS = [(language, class_name, stage) for language in LANGUAGES for class_name, stage in STEPS]
OF_ONE_LANGUAGE = {
    "en": {"the", "and", "you", "your", "with", "please", "this", "our"},
    "es": {"usted", "mensaje", "nuestro", "más", "llame", "hasta"},
    "fr": {"vous", "votre", "nous", "est", "ce", "notre", "merci"},
    "de": {"sie", "und", "nicht", "bitte", "wir", "ihnen", "ist"},
    "pl": {"państwo", "państwa", "prosimy", "wiadomość", "jest", "się", "tej"},
    "pt": {"não", "uma", "mensagem", "sua", "ligue", "pessoa"},
}
SENTENCE_ENDS = re.compile(r"(?<=[^\d][.?!؟])[”“»]?\s+")  # not behind a figure: "3. März"
COUNTED = re.compile(r"[^\W_][\w’'@.:/-]*")


@functools.cache
def shapes(
    language: str, class_name: MessageClass, stage: Stage
) -> tuple[tuple[RenderedMessage, MessageFacts, MessageLinks], ...]:
    """Return one message in every shape that its words depend on."""
    every = []
    for representative, is_open, links in itertools.product((False, True), (False, True), (LINKS, NO_LINKS)):
        changes = {"recipient_is_representative": representative, "window_is_open": is_open}
        every.append((facts(language=language, class_name=class_name, stage=stage, **changes), links))
    for representative in (False, True):
        changes = {"recipient_is_representative": representative, "window_is_open": representative}
        every.append((bare(class_name, language=language, stage=stage, patient_name="", **changes), NO_LINKS))
    return tuple((RENDERER.render(shown, links), shown, links) for shown, links in every)


def shown_words(rendered_html: str) -> str:
    """Return what an HTML part shows, on one line."""
    bare_html = re.sub(r"<style.*?</style>|<title>.*?</title>|<!--.*?-->", " ", rendered_html, flags=re.DOTALL)
    spaced = re.sub(r"</?(?:p|h\d|div|td|tr|table|br)\b[^>]*>", " ", bare_html)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", spaced)).split())


def body_of(text: str, language: str) -> str:
    """Return what a text part says between the line that names the clinic and the consultation's heading."""
    said = words("mail", language)
    after = text.partition(f"{said['from_clinic'].partition('{')[0]}")[2].partition("\n\n")[2]
    return after.partition(f"\n{said['consultation']}\n---")[0]


def count(text: str) -> int:
    """Return the number of words; a mark that stands by itself is none."""
    return len(COUNTED.findall(text))


def sentences(text: str) -> list[str]:
    """Return the sentences of paragraphs; a heading, and a line that ends in a link, are sentences of their own."""
    parts = (SENTENCE_ENDS.split(" ".join(part.split())) for part in re.split(r"\n\n|\n(?=http)", text))
    return [sentence for part in parts for sentence in part if sentence]


@pytest.mark.parametrize(("language", "class_name", "stage"), LETTERS)
def test_a_step_says_what_it_has_to_say_in_few_words(language: str, class_name: MessageClass, stage: Stage) -> None:
    for rendered, _, _ in shapes(language, class_name, stage):
        body = body_of(rendered.text, language)
        assert 20 <= count(body) <= MOST_WORDS[stage]


@pytest.mark.parametrize(("language", "class_name", "stage"), LETTERS)
def test_no_sentence_of_a_body_is_longer_than_twenty_words(
    language: str, class_name: MessageClass, stage: Stage
) -> None:
    for rendered, _, _ in shapes(language, class_name, stage):
        body = body_of(rendered.text, language)
        assert [said for said in sentences(body) if count(said) > LONGEST_SENTENCE] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_of_the_frame_is_longer_than_twenty_words(language: str) -> None:
    values = {"clinic": "Harbour Clinic", "name": "Odile", "who": "Dr Mary Stone", "phone": "+44 20 7946 0018"}
    values |= {"opens": "3 March 2027", "closes": "3 June 2027", "emergency": "112", "reply_to": "desk@home.example"}
    values |= dict.fromkeys(("request_url", "stop_url", "booking_url"), "https://harbour.example")
    for said in words("mail", language).values():
        assert [one for one in sentences(said.format_map(values)) if count(one) > LONGEST_SENTENCE] == []


@pytest.mark.parametrize(("language", "class_name", "stage"), LETTERS)
def test_every_message_says_what_it_must_in_both_parts(language: str, class_name: MessageClass, stage: Stage) -> None:
    for representative in (False, True):
        changes = {"stage": stage, "recipient_is_representative": representative}
        rendered = RENDERER.render(facts(language=language, class_name=class_name, **changes), LINKS)
        wanted = [plain(said) for said in phrases.must_say(language, class_name, stage, representative=representative)]
        text = plain(rendered.text)
        assert [said for said in wanted if said not in text] == []
        shown = plain(shown_words(rendered.html))
        stop = plain(words("mail", language)["stop"])
        in_html = [stop if said in plain(words("mail", language)["stop_at"]) else said for said in wanted]
        assert [said for said in in_html if said not in shown] == []


def test_every_language_has_a_phrase_for_each_statement() -> None:
    assert set(phrases.languages()) == set(LANGUAGES)
    assert len({frozenset(statements) for statements in phrases.languages().values()}) == 1


@pytest.mark.parametrize(("language", "class_name", "stage"), LETTERS)
def test_no_message_names_a_medicine_a_price_a_result_or_an_urgency(
    language: str, class_name: MessageClass, stage: Stage
) -> None:
    for rendered, _, _ in shapes(language, class_name, stage):
        for part in (rendered.subject, rendered.text, shown_words(rendered.html)):
            assert forbidden_in(part, language) == []


@pytest.mark.parametrize(("language", "class_name", "stage"), LETTERS)
def test_a_message_is_wholly_in_its_language(language: str, class_name: MessageClass, stage: Stage) -> None:
    for rendered, shown, _ in shapes(language, class_name, stage):
        values = [shown.clinic_name, shown.practitioner, shown.patient_name, shown.reply_to, shown.phone, "STOP"]
        values += ["1 Quay Street, London N1 1AA"]
        for part in (rendered.subject, " ".join(rendered.text.split()), shown_words(rendered.html)):
            own = re.sub(r"https://\S+", " ", part)
            for value in values:
                own = own.replace(value, " ") if value else own
            assert_only(language, own)


def assert_only(language: str, text: str) -> None:
    """Fail where a text holds words of another of the seven languages."""
    latin, arabic = re.findall(r"[A-Za-z]+", text), re.findall(r"[\u0600-\u06ff]+", text)
    assert not (latin if language == "ar" else arabic)
    found = {word.lower() for word in re.findall(r"\w+", text)}
    others = set().union(*(mine for other, mine in OF_ONE_LANGUAGE.items() if other != language))
    assert found & (others - OF_ONE_LANGUAGE.get(language, set())) == set()
    if len(text) > 200 and language != "ar":  # a subject is too short to tell
        assert len(found & OF_ONE_LANGUAGE[language]) >= 4


@pytest.mark.parametrize(("language", "class_name", "stage"), LETTERS)
def test_a_letter_in_any_language_and_shape_has_nothing_to_complain_about(
    language: str, class_name: MessageClass, stage: Stage
) -> None:
    for rendered, shown, links in shapes(language, class_name, stage):
        assert complaints(rendered, shown, links) == ()
        assert f'lang="{language}"' in rendered.html
        assert f'dir="{"rtl" if language == "ar" else "ltr"}"' in rendered.html


@pytest.mark.parametrize("jurisdiction", [None, *get_args(Jurisdiction)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_jurisdiction_finds_a_word_to_frown_upon(language: str, jurisdiction: Jurisdiction | None) -> None:
    for class_name, stage in STEPS:
        shown = facts(language=language, class_name=class_name, stage=stage, jurisdiction=jurisdiction)
        rendered = RENDERER.render(shown, LINKS)
        assert (complaints(rendered, shown, LINKS), warnings(rendered, shown, LINKS)) == ((), ())


@pytest.mark.parametrize(("language", "class_name", "stage"), LETTERS)
def test_a_subject_is_short_and_says_sender_and_consultation_and_nothing_else(
    language: str, class_name: MessageClass, stage: Stage
) -> None:
    shown = facts(language=language, class_name=class_name, stage=stage)
    subject = RENDERER.render(shown, LINKS).subject
    assert len(subject) <= 50
    assert re.match(r"Harbour Clinic ?: ", subject)
    rest = subject.partition(":")[2]
    assert CONSULTATION[language] in rest.casefold()
    assert forbidden_in_subject(rest, language) == []
    for private in ("Odile", "Stone", shown.label.partition(" ")[2]):
        assert plain(private) not in plain(rest)


@pytest.mark.parametrize(("language", "class_name", "stage"), LETTERS)
@pytest.mark.parametrize(
    ("sender", "shown"),
    [
        ("Harbour", "Harbour"),
        ("The Harbour Clinic for Skin and Wellbeing of Greater London", "The"),
        ("Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch", ""),
    ],
)
def test_a_long_sender_is_cut_between_words_or_left_out_of_the_subject(
    language: str, class_name: MessageClass, stage: Stage, sender: str, shown: str
) -> None:
    changes = {"class_name": class_name, "stage": stage, "sender_name": sender}
    subject = RENDERER.render(facts(language=language, **changes), LINKS).subject
    assert len(subject) <= 50
    assert CONSULTATION[language] in subject.casefold()
    before, colon, _ = subject.rpartition(":")
    assert bool(colon) == bool(shown)
    assert before.strip().split() == sender.split()[: len(before.split())]
    assert subject.startswith(shown)
    assert subject[0] == subject[0].upper()


def test_the_stages_of_a_class_have_subjects_and_bodies_of_their_own() -> None:
    for language, class_name in itertools.product(LANGUAGES, ("cosmetic", "medical")):
        each = [
            RENDERER.render(facts(language=language, class_name=class_name, stage=stage), LINKS) for stage in STAGES
        ]
        assert len({rendered.subject for rendered in each}) == len(STAGES)
        assert len({body_of(rendered.text, language) for rendered in each}) == len(STAGES)
