"""The shipped words, measured: lengths, forbidden words, and what each message must say."""

import datetime as dt
import re
from collections.abc import Iterator

import pytest

from reminders.mail.message import MessageClass, MessageFacts, MessageLinks, Stage
from reminders.mail.wording import day_in_words, window_in_words
from reminders.paths import templates
from tests.mail.letters import LINKS, NO_LINKS, RENDERER, STAGES, STEPS, bare, facts

MOST_WORDS = {"invitation": 150, "follow_up": 110, "last_call": 80}
LONGEST_SENTENCE = 20
NEVER = (
    *(
        "botox",
        "dysport",
        "azzalure",
        "bocouture",
        "vistabel",
        "xeomin",
        "jeuveau",
        "letybo",
        "alluzience",
        "relfydess",
    ),
    *("toxin", "botulinum", "filler", "hyaluronic", "juvederm", "restylane", "sculptra", "profhilo", "inject", "jab"),
    *(
        "needle",
        "syringe",
        "units",
        "dose",
        "wrinkle",
        "line relaxing",
        "frown",
        "forehead",
        "lips",
        "sweat",
        "migraine",
    ),
    *("wear off", "wears off", "wearing off", "worn off", "fade", "top-up", "top up", "maintain", "maintenance"),
    *("due", "overdue", "price", "cost", "offer", "discount", "deal", "free", "save", "voucher", "special", "package"),
    *(
        "limited",
        "hurry",
        "only a few",
        "last chance",
        "don't miss",
        "urgent",
        "now or never",
        "act now",
        "spaces left",
    ),
    *("we miss you", "miss you", "you didn't", "you did not", "you have not", "you haven't", "no reply from you"),
    *("best", "guarantee", "perfect", "young", "beaut", "refresh", "look your", "testimonial", "love", "amazing"),
    *("you need", "you must", "three to six months", "3 to 6 months", "delivered"),
)
WHOLE_WORDS = {"due", "deal", "free", "save", "cost", "price", "offer", "best", "dose", "love", "young", "units", "jab"}
NOT_IN_A_SUBJECT = (
    "urgent",
    "now",
    "today",
    "last",
    "soon",
    "final",
    "time",
    "miss",
    "treat",
    "review",
    "medic",
    "!",
    "2027",
)


def all_letters() -> Iterator[tuple[MessageFacts, MessageLinks]]:
    for class_name, stage in STEPS:
        for shape in (facts, lambda **changes: facts(**{"recipient_is_representative": True} | changes)):
            for is_open in (True, False):
                for links in (LINKS, NO_LINKS):
                    yield shape(class_name=class_name, stage=stage, window_is_open=is_open), links
    for class_name in ("cosmetic", "medical"):
        yield bare(class_name), NO_LINKS


def step_body(class_name: MessageClass, stage: Stage, ending: str) -> str:
    source = (templates() / "email" / class_name / stage / f"body.{ending}").read_text(encoding="utf-8")
    values = {"who": "Dr Mary Stone", "Who": "Dr Mary Stone", "label": facts(class_name=class_name).label}
    return re.sub(r"<[^>]+>", " ", re.sub(r"{{ (\w+) }}", lambda found: values[found[1]], source))


def sentences(text: str) -> list[str]:
    return [sentence.strip() for sentence in re.split(r"(?<=[.?!])\s+|\n\n", text) if sentence.strip()]


@pytest.mark.parametrize("ending", ["txt", "html"])
@pytest.mark.parametrize(("class_name", "stage"), STEPS)
def test_a_step_says_what_it_has_to_say_in_few_words(class_name: MessageClass, stage: Stage, ending: str) -> None:
    assert len(step_body(class_name, stage, ending).split()) <= MOST_WORDS[stage]


def test_no_sentence_of_any_message_is_longer_than_twenty_words() -> None:
    for shown, links in all_letters():
        text = RENDERER.render(shown, links).text
        prose = re.sub(r"https://\S+", "", re.sub(r"^(Hello|With:|Phone us:|.*-----).*$", "", text, flags=re.MULTILINE))
        long = [sentence for sentence in sentences(prose) if len(sentence.split()) > LONGEST_SENTENCE]
        assert long == []


@pytest.mark.parametrize(("class_name", "stage"), STEPS)
def test_text_and_html_of_a_step_say_the_same(class_name: MessageClass, stage: Stage) -> None:
    assert step_body(class_name, stage, "txt").split() == step_body(class_name, stage, "html").split()


def test_no_message_names_a_medicine_a_price_a_result_or_an_urgency() -> None:
    for shown, links in all_letters():
        rendered = RENDERER.render(shown, links)
        words = re.sub(r"<style>.*?</style>", " ", rendered.html, flags=re.DOTALL)
        shown_words = re.sub(r"<[^>]+>", " ", words)
        for part in (rendered.subject, rendered.text, shown_words):
            lower = " ".join(part.lower().split())
            found = [word for word in NEVER if (_whole(word, lower) if word in WHOLE_WORDS else word in lower)]
            assert found == []


def _whole(word: str, text: str) -> bool:
    return re.search(rf"\b{word}\b", text) is not None


@pytest.mark.parametrize(("class_name", "stage"), STEPS)
def test_a_subject_is_short_and_says_sender_and_consultation_and_nothing_else(
    class_name: MessageClass, stage: Stage
) -> None:
    shown = facts(class_name=class_name, stage=stage)
    subject = RENDERER.render(shown, LINKS).subject
    assert len(subject) <= 50
    assert subject.startswith("Harbour Clinic: ")
    assert "consultation" in subject
    assert [word for word in (*NOT_IN_A_SUBJECT, shown.patient_name, "Stone") if word.lower() in subject.lower()] == []


@pytest.mark.parametrize(("class_name", "stage"), STEPS)
@pytest.mark.parametrize(
    ("sender", "shown"),
    [
        ("Harbour", "Harbour: "),
        ("The Harbour Clinic for Skin and Wellbeing of Greater London", "The Harbour"),
        ("Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch", ""),
    ],
)
def test_a_long_sender_is_cut_between_words_or_left_out_of_the_subject(
    class_name: MessageClass, stage: Stage, sender: str, shown: str
) -> None:
    subject = RENDERER.render(facts(class_name=class_name, stage=stage, sender_name=sender), LINKS).subject
    assert len(subject) <= 50
    assert subject.startswith(shown)
    assert "consultation" in subject.lower()
    assert subject[0].isupper()


def test_days_are_written_as_their_readers_write_them() -> None:
    day = dt.date(2027, 3, 3)
    assert [day_in_words(day, place) for place in ("us", "uk", None)] == [
        "March 3, 2027",
        "3 March 2027",
        "3 March 2027",
    ]


def test_the_window_stands_in_words_and_never_offers_a_day_before_it_opens() -> None:
    assert window_in_words(facts()) == "The earliest day is 3 March 2027, and the time for it runs until 3 June 2027."
    opened = window_in_words(facts(window_is_open=True))
    assert opened == "The time for it is open now: it began on 3 March 2027 and runs until 3 June 2027."


@pytest.mark.parametrize("is_open", [True, False])
def test_a_medical_message_leaves_the_timing_to_the_clinician(*, is_open: bool) -> None:
    shown = facts(class_name="medical", window_is_open=is_open)
    assert window_in_words(shown) == "Your clinician sets the timing. It can be from 3 March 2027."
    assert "June" not in RENDERER.render(shown, LINKS).text


@pytest.mark.parametrize("stage", STAGES)
def test_every_medical_message_asks_for_an_answer_and_leaves_medicines_alone(stage: Stage) -> None:
    text = " ".join(RENDERER.render(facts(class_name="medical", stage=stage), LINKS).text.split())
    for said in ("answer even if the answer is no", "do not change or stop any medicines yourself", "bring", "notes"):
        assert said in text
    assert "insurer" in text
    assert "your clinician is told" in text


def test_the_last_message_of_each_class_says_that_it_is_the_last() -> None:
    assert "our last message about your visit" in RENDERER.render(facts(stage="last_call"), LINKS).text
    medical = facts(class_name="medical", stage="last_call")
    assert "our last message about your clinic review" in " ".join(RENDERER.render(medical, LINKS).text.split())


@pytest.mark.parametrize(
    ("jurisdiction", "number"),
    [("us", "911"), ("uk", "999"), ("au", "000"), ("eu", "112"), (None, "your local emergency number")],
)
def test_the_emergency_number_is_that_of_the_country(jurisdiction: str | None, number: str) -> None:
    rendered = RENDERER.render(facts(jurisdiction=jurisdiction), LINKS)
    assert f"In an emergency, call {number}." in " ".join(rendered.text.split())
    assert f"In an emergency, call {number}." in rendered.html


def test_every_message_says_what_each_must_say() -> None:
    for shown, links in all_letters():
        rendered = RENDERER.render(shown, links)
        for part in (" ".join(rendered.text.split()), " ".join(re.sub(r"<[^>]+>", "", rendered.html).split())):
            for said in (
                "This message is from Harbour Clinic",
                "seen and assessed in person first",
                "differ from person to person",
                "Nothing is promised",
                "Side effects are part of the talk",
                "changes in your health, pregnancy, allergies, medicines, and treatment elsewhere",
                "Worried since your visit?",
                "You receive this because",
                "Not you?",
            ):
                assert said in part


def test_the_phone_comes_first_then_one_button() -> None:
    html = RENDERER.render(facts(), LINKS).html
    assert html.count('class="button"') == 1
    assert html.index("tel:+442079460018") < html.index('class="button"') < html.index("https://harbour.example/visit")


def test_without_a_request_link_the_clinics_booking_page_is_the_button() -> None:
    html = RENDERER.render(facts(), NO_LINKS).html
    assert html.count('class="button"') == 1
    assert 'class="button" href="https://harbour.example/visit"' in html


def test_a_clinic_with_nothing_but_an_address_is_asked_and_stopped_by_reply() -> None:
    rendered = RENDERER.render(bare(), NO_LINKS)
    assert "To ask for one, reply to this message: desk@harbour.example" in rendered.text
    assert "To stop these messages, reply with STOP." in rendered.text
    assert "phone" not in rendered.text.lower()
    assert 'class="button"' not in rendered.html


def test_a_representative_is_told_why_they_get_it() -> None:
    rendered = RENDERER.render(facts(recipient_is_representative=True), LINKS)
    said = "You receive this because Harbour Clinic has you as the representative of Odile."
    assert said in " ".join(rendered.text.split())
    assert said in re.sub(r"<[^>]+>", "", rendered.html)
    assert "Hello Odile" not in rendered.text
    assert "you have visited" not in rendered.text


def test_a_message_in_a_language_without_templates_is_wholly_in_english() -> None:
    assert RENDERER.render(facts(language="de"), LINKS) == RENDERER.render(facts(language="en"), LINKS)
