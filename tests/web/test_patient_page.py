"""The patient's page: what it shows, what can be answered on it, and what the plan makes of an answer."""

import httpx2
import pytest

from reminders.app import App
from reminders.domain.answers import AnswerKind
from tests.support.clinic import FOLLOW_UP_AT, Office
from tests.support.facts import day
from tests.support.site import Letter, rows

ALL = {
    "phone_me": {"kind": "phone_me", "note": "My tablets changed."},
    "booked": {"kind": "booked", "day": "2026-04-20"},
    "treated_elsewhere": {"kind": "treated_elsewhere", "day": "2026-03-01"},
    "remind_later": {"kind": "remind_later"},
    "wrong_person": {"kind": "wrong_person"},
    "consultation_requested": {
        "kind": "consultation_requested",
        "practitioner": "team",
        "contact_when": "morning",
        "contact_by": "phone",
        "phone": "+44 7700 900123",
        "note": "After ten, please.",
    },
}


@pytest.fixture
def page(letter: Letter) -> str:
    return f"/p/{letter.request}"


def answered(app: App, letter: Letter) -> AnswerKind | None:
    found = app.patient_page(letter.request)
    assert found is not None
    return found.answered.kind if found.answered else None


def later(app: App, letter: Letter) -> str:
    found = app.patient_page(letter.request)
    assert found is not None
    return found.later_days[0].isoformat()


def test_the_page_shows_the_clinic_and_the_first_name_and_nothing_else_of_the_patient(
    web: httpx2.Client, page: str
) -> None:
    found = web.get(page)
    assert found.status_code == 200
    assert found.headers["content-type"] == "text/html; charset=utf-8"
    for shown in ("Clinic Riverside", "AdaP1", "+44 20 7946 0000", "tel:+442079460000", "999", "Dr Jane Hart"):
        assert shown in found.text
    assert "https://riverside.example/book" in found.text
    for hidden in ("Lovelace", "p1@", "riverside-patients", "botulinum", "5 April", "2026-04-05", "<script", "style="):
        assert hidden not in found.text


def test_a_title_does_not_name_the_patient(web: httpx2.Client, page: str) -> None:
    title = web.get(page).text.partition("<title>")[2].partition("</title>")[0]
    assert title == "Clinic Riverside: your consultation"


@pytest.mark.parametrize("kind", ALL)
def test_an_answer_is_recorded_shown_and_taken_back(
    web: httpx2.Client, page: str, app: App, letter: Letter, kind: str
) -> None:
    form = ALL[kind] | ({"day": later(app, letter)} if kind == "remind_later" else {})
    posted = web.post(page, data=form)
    assert posted.status_code == 303
    assert str(httpx2.URL(f"http://x{page}").join(posted.headers["location"])) == f"http://x{page}"
    assert answered(app, letter) == kind

    shown = web.get(page)
    assert "Your answer" in shown.text
    assert "23 March 2026" in shown.text
    assert web.post(page, data={"kind": "take_back"}).status_code == 303
    assert answered(app, letter) is None
    assert "Your answer" not in web.get(page).text


@pytest.mark.parametrize("kind", ["consultation_requested", "booked", "treated_elsewhere", "wrong_person"])
def test_the_plan_obeys_an_answer_at_once(web: httpx2.Client, page: str, office: Office, kind: str) -> None:
    assert office.row("follow_up").state == "planned"
    assert web.post(page, data=ALL[kind]).status_code == 303
    assert office.row("follow_up").state in ("cancelled", "expired")
    web.post(page, data={"kind": "take_back"})
    assert office.row("follow_up").state == "planned"


def test_what_was_asked_is_said_again_but_not_what_was_written(web: httpx2.Client, page: str) -> None:
    web.post(page, data=ALL["consultation_requested"])
    shown = web.get(page).text
    for said in ("you asked for a consultation", "our team", "in the morning", "by phone", "You left us a note."):
        assert said in shown
    assert "After ten" not in shown
    assert "900123" not in shown


def test_an_answer_is_changed_by_another(web: httpx2.Client, page: str, app: App, letter: Letter) -> None:
    web.post(page, data=ALL["consultation_requested"])
    web.post(page, data=ALL["booked"])
    assert answered(app, letter) == "booked"
    shown = web.get(page).text
    assert "20 April 2026" in shown
    assert "you asked for a consultation" not in shown


def test_f45_the_same_answer_twice_leaves_one(web: httpx2.Client, page: str, office: Office) -> None:
    web.post(page, data=ALL["phone_me"])
    once = rows(office)
    web.post(page, data=ALL["phone_me"])
    assert rows(office) == once


def test_what_staff_have_seen_to_is_said(web: httpx2.Client, page: str, app: App) -> None:
    web.post(page, data=ALL["consultation_requested"])
    [request] = app.requests("riverside", closed=False)
    app.close_request(request.id, "phoned")
    shown = web.get(page).text
    assert "The clinic has dealt with it." in shown
    assert "We will contact you." not in shown
    assert "Take this back" not in shown


def test_a_practitioner_can_be_asked_for(web: httpx2.Client, page: str, app: App, letter: Letter) -> None:
    found = app.patient_page(letter.request)
    assert found is not None
    [(number, name)] = found.practitioners
    web.post(page, data=ALL["consultation_requested"] | {"practitioner": str(number)})
    assert f"With: <bdi>{name}</bdi>" in web.get(page).text


WRONG = {
    "an unknown practitioner": ("consultation_requested", {"practitioner": "999"}, "practitioner"),
    "a practitioner in words": ("consultation_requested", {"practitioner": "²"}, "practitioner"),
    "another way of contact": ("consultation_requested", {"contact_by": "pigeon"}, "contact_by"),
    "another time": ("consultation_requested", {"contact_when": "night"}, "contact_when"),
    "a note of 501 letters": ("consultation_requested", {"note": "x" * 501}, "note"),
    "a note that turns its line about": ("phone_me", {"note": "a\u202eb"}, "note"),
    "a note with a bell": ("phone_me", {"note": "a\x07b"}, "note"),
    "a number of 41 letters": ("phone_me", {"phone": "1" * 41}, "phone"),
    "a number without digits": ("phone_me", {"phone": "call me"}, "phone"),
    "a day that is none": ("booked", {"day": "2026-02-30"}, "day"),
    "a day long past": ("booked", {"day": "1900-01-01"}, "day"),
    "a month to come": ("treated_elsewhere", {"day": "2027-01-01"}, "day"),
    "no month": ("treated_elsewhere", {"day": ""}, "day"),
    "a day that was not offered": ("remind_later", {"day": "2030-01-01"}, "day"),
    "no day": ("remind_later", {}, "day"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_bad_field_is_shown_again_with_what_was_typed(
    web: httpx2.Client, page: str, office: Office, what: str
) -> None:
    kind, change, field = WRONG[what]
    before = rows(office)
    form = {"kind": kind, **({"note": "Kept <b>words</b>"} if "note" not in change else {}), **change}
    shown = web.post(page, data=form)
    assert shown.status_code == 422
    assert rows(office) == before
    assert f'href="#{kind}-{field}"' in shown.text
    assert f'id="{kind}-{field}-wrong"' in shown.text
    assert f"{kind}-{field}-wrong" in shown.text.partition('aria-describedby="')[2] or field == "practitioner"
    assert "Please check" in shown.text.partition("<title>")[2].partition("</title>")[0]
    if kind in ("consultation_requested", "phone_me") and "note" not in change:
        assert "Kept &lt;b&gt;words&lt;/b&gt;</textarea>" in shown.text


def test_days_to_be_reminded_on_are_offered_only_where_there_are_some(
    web: httpx2.Client, page: str, office: Office, app: App, letter: Letter
) -> None:
    assert 'id="remind_later"' in web.get(page).text
    office.hold()
    found = app.patient_page(letter.request)
    assert found is not None
    assert ('id="remind_later"' in web.get(page).text) == bool(found.later_days)
    office.clock.set(FOLLOW_UP_AT.replace(month=5, day=20))  # 58 days on: the link still works, the last step is near
    found = app.patient_page(letter.request)
    assert found is not None
    assert all(one > day("2026-05-20") for one in found.later_days)


@pytest.mark.parametrize(
    ("language", "direction", "word"),
    [
        *(("es", "ltr", "Pedir una consulta"), ("fr", "ltr", "Demander une consultation")),
        *(("de", "ltr", "Beratungsgespräch anfragen"), ("pl", "ltr", "Prośba o konsultację")),
        *(("pt", "ltr", "Pedir uma consulta"), ("ar", "rtl", "طلب استشارة")),
    ],
)
def test_a_page_speaks_the_patients_language_whatever_the_browser_wishes(
    web: httpx2.Client, page: str, office: Office, language: str, direction: str, word: str
) -> None:
    office.change_patient(language=language)
    found = web.get(page, headers={"Accept-Language": "en"})
    assert f'<html lang="{language}" dir="{direction}">' in found.text
    assert word in found.text
    assert "Ask for a consultation" not in found.text


@pytest.mark.parametrize(
    "form",
    [
        *("", "kind=", "kind=replied", "kind=STOPPED", "kind=stopped&kind=booked", "note=x", "kind=stopped&x=1&x=2"),
        *("%ff%fe=1", "kind=%80", "&".join(f"f{n}=1" for n in range(40)), "\x00", "kind[]=stopped", "a" * 500),
    ],
)
def test_a_form_that_is_none_of_the_pages_changes_nothing(
    web: httpx2.Client, page: str, office: Office, form: str
) -> None:
    before = rows(office)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    found = web.post(page, content=form.encode(), headers=headers)
    assert found.status_code == 400
    assert "Nothing was changed." in found.text
    assert rows(office) == before


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
def test_only_forms_are_read(web: httpx2.Client, page: str, office: Office, kind: str) -> None:
    before = rows(office)
    found = web.post(page, content=b"kind=stopped", headers={"Content-Type": kind})
    assert found.status_code == 400
    assert rows(office) == before


def test_fields_of_other_forms_and_unknown_ones_are_not_looked_at(
    web: httpx2.Client, page: str, app: App, letter: Letter
) -> None:
    extra = {"note": "x" * 9000, "everything": "yes", "clinic_id": "7", "state": "sent", "practitioner": "?"}
    assert web.post(page, data={"kind": "booked", "day": "", **extra}).status_code == 303
    found = app.patient_page(letter.request)
    assert found is not None
    assert found.stopped == frozenset()
    assert found.answered is not None
    assert not found.answered.has_note
