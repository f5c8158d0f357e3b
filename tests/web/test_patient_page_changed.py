"""The patient's page opened again: what stands, what is kept, what is asked for, and the sentence for each mistake."""

import re

import httpx2
import pytest

from reminders.app import App
from reminders.mail.words import LANGUAGES, words
from reminders.web.speech import ROOM
from tests.support.clinic import Office
from tests.support.site import Letter

ASKED = {
    "kind": "consultation_requested",
    "practitioner": "team",
    "contact_when": "evening",
    "contact_by": "email",
    "phone": "+44 7700 900123",
    "note": "After ten, please.",
}


@pytest.fixture
def page(letter: Letter) -> str:
    return f"/p/{letter.request}"


@pytest.fixture
def unreachable(office: Office) -> Office:
    """The clinic has no number of the patient."""
    office.change_patient(phone="")
    return office


def chosen(shown: str, kind: str = "consultation_requested") -> list[str]:
    """Return what is chosen in a form of the page."""
    form = shown.partition(f'id="{kind}"')[2].partition("</form>")[0]
    return re.findall(r'value="([^"]*)" (?:checked|selected)', form)


def test_a_fresh_page_has_the_practitioner_of_the_message_chosen(
    web: httpx2.Client, page: str, office: Office, app: App, letter: Letter
) -> None:
    assert chosen(web.get(page).text) == ["team", "any", "phone"]
    office.change_patient(practitioner="Dr Jane Hart")
    found = app.patient_page(letter.request)
    assert found is not None
    [(number, _)] = found.practitioners
    assert chosen(web.get(page).text) == [str(number), "any", "phone"]
    web.post(page, data=ASKED)
    assert chosen(web.get(page).text) == ["team", "evening", "email"]  # what was asked for stands


def test_a_form_opens_with_what_stands(web: httpx2.Client, page: str) -> None:
    web.post(page, data={"kind": "treated_elsewhere", "day": "2026-02-01"})
    assert chosen(web.get(page).text, "treated_elsewhere") == ["2026-02-01"]
    web.post(page, data={"kind": "booked", "day": "2026-04-20"})
    assert 'min="2026-03-23" value="2026-04-20"' in web.get(page).text


def test_a_booking_that_is_past_is_not_typed_in_again(web: httpx2.Client, page: str, office: Office) -> None:
    web.post(page, data={"kind": "booked", "day": "2026-03-24"})
    office.clock.advance(days=3)
    assert 'min="2026-03-26" value=""' in web.get(page).text


def test_what_is_kept_is_said_and_never_shown(web: httpx2.Client, page: str, app: App) -> None:
    web.post(page, data=ASKED)
    shown = web.get(page).text
    assert "We have the note you left." in shown
    assert "We have the number you gave here." in shown
    assert "After ten" not in shown
    assert "900123" not in shown
    web.post(page, data={"kind": "phone_me", "note": "", "phone": ""})
    [request] = app.requests("riverside", closed=False)
    assert (request.note, request.phone) == ("After ten, please.", "+44 7700 900123")
    app.close_request(request.id, "phoned")
    assert "We have the note you left." not in web.get(page).text


def test_a_stop_has_a_card_of_its_own_beside_any_other_answer(web: httpx2.Client, page: str, office: Office) -> None:
    web.post(page, data={"kind": "stopped", "everything": "no"})
    shown = web.get(page).text
    assert "you stopped these messages" in shown
    assert "A new answer takes the place" not in shown
    assert 'value="take_back"' not in shown
    assert 'name="everything" value="no"' not in shown  # what is stopped is not offered again
    web.post(page, data={"kind": "booked"})
    shown = web.get(page).text
    assert "you stopped these messages" in shown.partition("you have booked")[0]
    assert shown.count('value="take_back"') == shown.count('value="write_again"') == 1
    assert web.post(page, data={"kind": "write_again"}).status_code == 303
    shown = web.get(page).text
    assert "you have booked" in shown
    assert "you stopped these messages" not in shown
    web.post(page, data={"kind": "take_back"})
    assert office.states() == {"sent": 1, "planned": 2}


def test_an_opt_out_of_staffs_is_said_without_a_button(web: httpx2.Client, page: str, office: Office) -> None:
    office.change_patient(opt_out="all")
    shown = web.get(page).text
    assert "You have stopped our messages." in shown
    assert 'value="write_again"' not in shown
    assert 'id="stopped"' not in shown


def test_a_call_needs_a_number_where_the_clinic_has_none(web: httpx2.Client, page: str, unreachable: Office) -> None:
    shown = web.get(page).text
    assert shown.count("Your phone number") == 2
    assert "nother phone number" not in shown
    assert chosen(shown) == ["team", "any", "email"]
    for form in ({"kind": "phone_me"}, ASKED | {"contact_by": "phone", "phone": " "}):
        refused = web.post(page, data=form)
        assert refused.status_code == 422
        assert "Please give a phone number, so that we can call you." in refused.text
        assert f'href="#{form["kind"]}-phone"' in refused.text
    assert web.post(page, data={"kind": "phone_me", "phone": "020 7946 0123"}).status_code == 303
    assert "We have the number you gave here." in web.get(page).text
    unreachable.change_patient(phone="020 7946 0555")
    assert "7946 0555" not in web.get(page).text


@pytest.mark.parametrize(
    ("form", "key"),
    [
        ({"kind": "phone_me", "phone": "call me"}, "wrong_phone"),
        ({"kind": "booked", "day": "2026-03-22"}, "wrong_past_day"),
        ({"kind": "booked", "day": "2046-03-22"}, "wrong_day"),
        ({"kind": "booked", "day": "2026-02-30"}, "wrong_day"),
        ({"kind": "remind_later", "day": "2030-01-01"}, "wrong_not_offered"),
        ({"kind": "remind_later"}, "wrong_missing_day"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_mistake_has_its_sentence(
    web: httpx2.Client, page: str, office: Office, language: str, form: dict[str, str], key: str
) -> None:
    office.change_patient(language=language)
    assert words(ROOM, language)[key] in web.post(page, data=form).text


@pytest.mark.parametrize("kind", ["consultation_requested", "phone_me", "booked"])
def test_what_staff_have_closed_promises_nothing_more(web: httpx2.Client, page: str, app: App, kind: str) -> None:
    said = words(ROOM, "en")
    promise = said[f"done_{kind}"].removeprefix(said[f"was_{kind}"])
    web.post(page, data={"kind": kind})
    assert promise in web.get(page).text
    app.close_request(app.requests("riverside", closed=False)[0].id, "dealt with")
    shown = web.get(page).text
    assert promise not in shown
    assert "The clinic has dealt with it." in shown


def test_a_stranger_is_told_that_it_was_noted_and_how_to_take_it_back_and_no_more(
    web: httpx2.Client, page: str, app: App
) -> None:
    web.post(page, data=ASKED)
    web.post(page, data={"kind": "stopped", "everything": "yes"})
    web.post(page, data={"kind": "wrong_person"})
    for _ in range(2):
        shown = web.get(page).text
        assert "our message reached the wrong person" in shown
        assert re.findall(r'name="kind" value="(\w+)"', shown) == ["take_back"]
        for hidden in ("AdaP1", "<details", "note", "you stopped", "A new answer"):
            assert hidden not in shown.partition("<main")[2].partition("</main>")[0]
        for request in app.requests("riverside", closed=False):
            app.close_request(request.id, "looked up")
    web.post(page, data={"kind": "take_back"})
    assert "AdaP1" in web.get(page).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_thanks_are_given_once_it_is_said_and_not_before(
    web: httpx2.Client, page: str, office: Office, language: str
) -> None:
    office.change_patient(language=language)
    said = words(ROOM, language)
    done = said["done_booked"].removeprefix(said["was_booked"]).split(".")[0].strip()
    assert done
    assert f"{done}." not in web.get(page).text
    web.post(page, data={"kind": "booked"})
    assert f"{done}." in web.get(page).text


def test_at_a_former_address_one_may_stop_and_say_who_one_is_not_and_no_more(
    web: httpx2.Client, page: str, office: Office
) -> None:
    office.change_patient(email="new@riverside-patients.example")
    shown = web.get(page).text
    assert re.findall(r'name="(?:kind|everything)" value="(\w+)"', shown) == ["stopped", "no", "yes", "wrong_person"]
    assert "AdaP1" not in shown
    assert web.post(page, data=ASKED).status_code == 422
