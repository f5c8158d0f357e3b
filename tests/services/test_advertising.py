"""What a clinic may not say is refused when it is typed, pointed out where it is doubtful, and never sent."""

import dataclasses
from collections.abc import Mapping

import pytest

from reminders.domain.lifecycle import Reason, State
from reminders.errors import BadInput
from reminders.mail.advertising.jurisdiction import check_version
from reminders.services import advertising, clinic
from reminders.services.advertising import ForbiddenWords
from reminders.services.catalogue import import_catalogue
from reminders.services.checkup.clinic import clinics_checks
from reminders.services.find import the_clinic
from reminders.services.preview import preview
from reminders.store import clinics, protocols, templates
from reminders.store.templates import Place
from tests.support.clinic import INVITED_AT, LINKS, Office, to
from tests.support.smtp_server import RealServer

FORBIDDEN: Mapping[str, str] = {
    "name": "The Botox Rooms",
    "sender_name": "B0t0x by Riverside",
    "email": "hello@botox-riverside.example",
    "reply_to": "dysport@riverside.example",
    "booking_url": "https://riverside.example/book/beautytox",
    "address": "1 River Street, opposite Azzalure House",
}
OPTIONS = {field: f"--{field.replace('_', '-')}" for field in FORBIDDEN}


def change(office: Office, **given: str) -> None:
    with office.write() as tx:
        clinic.change_clinic(tx, "riverside", given)


def stored_name(office: Office) -> str:
    with office.read() as tx:
        return the_clinic(tx, "riverside").name


@pytest.mark.parametrize("field", FORBIDDEN)
def test_a_clinic_is_not_enrolled_with_a_medicine_in_its_details(empty_office: Office, field: str) -> None:
    with pytest.raises(ForbiddenWords) as refused:
        empty_office.add_clinic(**{field: FORBIDDEN[field]})
    assert str(refused.value).startswith(f"{OPTIONS[field]} holds ")
    assert "the advertising rules of the United Kingdom do not allow" in str(refused.value)
    assert FORBIDDEN[field] not in str(refused.value)
    with empty_office.read() as tx:
        assert clinics.all_clinics(tx) == []


@pytest.mark.parametrize("field", FORBIDDEN)
def test_a_clinic_is_not_changed_to_a_medicine_either(office: Office, field: str) -> None:
    with pytest.raises(ForbiddenWords):
        change(office, **{field: FORBIDDEN[field]})
    assert stored_name(office) == "Clinic Riverside"


@pytest.mark.parametrize("rules", ["us", ""])
def test_where_no_law_forbids_it_the_clinic_is_only_told(office: Office, rules: str) -> None:
    change(office, jurisdiction=rules)
    change(office, name="The Botox Rooms")
    with office.read() as tx:
        [note] = advertising.notes_on_clinic(tx, the_clinic(tx, "riverside"))
    assert note == "--name holds the name of a botulinum toxin (botox): write of a consultation and name no product"


def test_a_new_jurisdiction_puts_everything_stored_to_the_test(office: Office) -> None:
    change(office, jurisdiction="us")
    change(office, name="The Botox Rooms")
    with pytest.raises(ForbiddenWords, match=r"^--name holds"):
        change(office, jurisdiction="uk")
    change(office, name="The Rooms", jurisdiction="uk")


def test_a_new_jurisdiction_puts_places_practitioners_templates_and_labels_to_the_test(office: Office) -> None:
    change(office, jurisdiction="us")
    with office.write() as tx:
        found = the_clinic(tx, "riverside")
        place = clinics.add_location(tx, found.id, "High Street", booking_url="https://riverside.example/dysport")
    with pytest.raises(ForbiddenWords, match="--booking-url of a location holds"):
        change(office, jurisdiction="eu")
    with office.write() as tx:
        clinics.change_location(tx, place.id, {"booking_url": None})
        clinics.add_practitioner(tx, found.id, "The Botox Nurse")
    with pytest.raises(ForbiddenWords, match="--practitioner holds"):
        change(office, jurisdiction="eu")
    with office.write() as tx:
        clinic.change_clinic(tx, "riverside", {}, left=["The Botox Nurse"])
        one = Place("cosmetic", "invitation", "en")
        kept = templates.add_version(tx, found.id, one, "Subject: Hello\n\nYour Ozempic.\n", check_version())
    with pytest.raises(ForbiddenWords, match=r"the template of the cosmetic invitation \(en\) holds"):
        change(office, jurisdiction="eu")
    with office.write() as tx:
        templates.withdraw(tx, kept)
        lips = protocols.current(tx)["filler-lips"]
        protocols.save_protocol(tx, dataclasses.replace(lips, label={"en": "your Vistabel review"}))
    with pytest.raises(ForbiddenWords, match=r"the label of protocol filler-lips \(en\) holds"):
        change(office, jurisdiction="eu")


def test_what_a_stricter_list_finds_later_stops_no_other_change(office: Office) -> None:
    with office.write() as tx:
        clinics.change_clinic(tx, the_clinic(tx, "riverside").id, {"name": "The Botox Rooms"})
    change(office, phone="+44 20 7946 0001")
    with pytest.raises(ForbiddenWords):
        change(office, name="The Botox House")


def test_a_practitioner_may_be_called_almost_like_a_medicine_but_not_like_one(office: Office) -> None:
    with office.write() as tx:
        clinic.change_clinic(tx, "riverside", {}, practitioners=["Dr Ana Botoșa", "Mrs Filler", "Dr Hope Price"])
    with pytest.raises(ForbiddenWords, match=r"^--practitioner holds"), office.write() as tx:
        clinic.change_clinic(tx, "riverside", {}, practitioners=["Nurse Botox"])


@pytest.mark.parametrize(
    "name",
    [
        *("Ann Lee, wrinkle relaxing injections", "Dr Getbotoxnow", "Ann (anti-wrinkle jabs, skinny pen)", "Botoxuk"),
        *("TheBotoxQueen", "Nurse Botoxx", "B-o-t-ox Ann", "Xeominn & Dysportt", "lip fillers £199", "20% off"),
        *("results guaranteed", "injections for excessive sweating", "Toxbar Ann"),
    ],
)
def test_the_name_of_a_practitioner_is_no_line_for_advertising(office: Office, name: str) -> None:
    with pytest.raises(ForbiddenWords, match=r"^--practitioner holds"), office.write() as tx:
        clinic.change_clinic(tx, "riverside", {}, practitioners=["Dr Ann Lee", name])
    with office.read() as tx:
        [note] = advertising.notes_on_patient(the_clinic(tx, "riverside"), name)[:1]
    assert note.endswith("would be held until it is changed.")
    assert name not in note


def test_a_practitioner_called_like_the_beginning_of_a_phrase_does_not_let_the_phrase_pass(
    office: Office, server: RealServer
) -> None:
    with office.write() as tx:
        clinic.change_clinic(tx, "riverside", {}, practitioners=["Wrinkle"])
        face = protocols.current(tx)["botulinum-cosmetic"]
        protocols.save_protocol(tx, dataclasses.replace(face, label={"en": "wrinkle relaxing injections"}))
    change(office, phone="+44 20 7946 0002")
    office.clock.set(INVITED_AT)
    assert office.deliver(to(server)).sent == 0
    assert server.messages == []


@pytest.mark.parametrize(
    "name", ["Painless Dental", "Milagros", "Praxis Wunder", "Five Star House", "Discount", "Jane Cud"]
)
def test_a_clinic_called_like_a_promise_is_told_and_its_mail_goes_out(
    office: Office, server: RealServer, name: str
) -> None:
    change(office, jurisdiction="au")
    change(office, name=name, sender_name=name, address="1 Loyalty Road")
    with office.read() as tx:
        assert any(
            note.startswith("--name holds") for note in advertising.notes_on_clinic(tx, the_clinic(tx, "riverside"))
        )
    office.clock.set(INVITED_AT)
    assert office.deliver(to(server)).sent == 1


def test_a_places_name_which_no_message_shows_locks_nobody_out(office: Office) -> None:
    change(office, jurisdiction="us")
    with office.write() as tx:
        clinic.add_location(tx, "riverside", "The Botox Rooms", {})
    change(office, jurisdiction="uk")
    with office.write() as tx:
        clinic.add_location(tx, "riverside", "Dysport House", {})


def test_a_place_of_a_clinic_is_looked_at(office: Office) -> None:
    with pytest.raises(ForbiddenWords, match=r"^--booking-url holds"), office.write() as tx:
        clinic.add_location(tx, "riverside", "High Street", {"booking_url": "https://b.example/%62otox"})
    with office.read() as tx:
        assert clinics.locations(tx, the_clinic(tx, "riverside").id) == []


def test_a_label_of_the_catalogue_is_held_against_the_rules_of_the_clinics_there_are(office: Office) -> None:
    with office.write() as tx:
        lips = protocols.current(tx)["filler-lips"]
        named = dataclasses.replace(lips, label={**lips.label, "de": "Ihr Termin für Dermal Filler"})
        outcome = import_catalogue(tx, [named])
        assert outcome.warnings == (
            "the label of protocol filler-lips (de) holds words for a filler (dermal filler…): write of a consultation",
            "the label of protocol filler-lips (de) holds words for a filler (filler): write of a consultation",
        )
    with pytest.raises(ForbiddenWords, match=r"the label of protocol filler-lips \(de\) .* Australia"):
        office.add_clinic("sydney", jurisdiction="au")


def test_a_label_that_one_clinic_may_not_show_is_refused_for_all(office: Office) -> None:
    office.add_clinic("sydney", jurisdiction="au")
    with office.read() as tx:
        named = dataclasses.replace(protocols.current(tx)["filler-lips"], label={"en": "your lip filler"})
    with pytest.raises(ForbiddenWords, match="Australia"), office.write() as tx:
        import_catalogue(tx, [named])


def test_before_there_is_a_clinic_every_jurisdiction_judges_a_label(empty_office: Office) -> None:
    with empty_office.read() as tx:
        named = dataclasses.replace(protocols.current(tx)["filler-lips"], label={"en": "your lip filler"})
    with pytest.raises(BadInput), empty_office.write() as tx:
        import_catalogue(tx, [named])


def test_a_patients_name_is_only_pointed_out(office: Office) -> None:
    office.add_patient("P2", known_as="Botox Betty", given_name="Betty")
    with office.read() as tx:
        found = the_clinic(tx, "riverside")
        [note] = advertising.notes_on_patient(found, "Botox Betty")
        assert advertising.notes_on_patient(found, "Ana Botoșa") == ()
    assert "would be held" in note
    assert "Betty" not in note


def test_the_doctor_says_what_would_be_refused_today(office: Office) -> None:
    with office.write() as tx:
        clinics.change_clinic(tx, the_clinic(tx, "riverside").id, {"sender_name": "The Botox Rooms"})
    with office.read() as tx:
        checks = {check.name: check for check in clinics_checks(tx)}
    wording = checks["clinic riverside: wording"]
    assert wording.ok is False
    assert "--sender-name holds the name of a botulinum toxin (botox)" in wording.said
    change(office, sender_name="", jurisdiction="us")
    change(office, name="Filler House")
    with office.read() as tx:
        assert {check.name: check.ok for check in clinics_checks(tx)}["clinic riverside: wording"] is None


def test_the_doctor_is_silent_about_ordinary_details(office: Office) -> None:
    with office.read() as tx:
        assert "clinic riverside: wording" not in {check.name for check in clinics_checks(tx)}


def test_what_slipped_in_holds_the_message_and_lets_it_go_when_it_is_mended(office: Office, server: RealServer) -> None:
    with office.write() as tx:
        clinics.change_clinic(tx, the_clinic(tx, "riverside").id, {"sender_name": "Riverside b.o.t.o.x"})
    office.clock.set(INVITED_AT)
    outcome = office.deliver(to(server))
    assert (outcome.held, outcome.sent, server.messages) == (1, 0, [])
    assert (office.row().state, office.row().reason) == (State.HELD, Reason.TEMPLATE_BROKEN)
    change(office, sender_name="Riverside")
    office.clock.advance(minutes=5)
    assert office.deliver(to(server)).sent == 1


def test_a_preview_shows_what_is_refused_and_what_is_doubtful(office: Office) -> None:
    change(office, jurisdiction="us")
    change(office, sender_name="Riverside Tox Bar")
    with office.read() as tx:
        shown = preview(tx, office.keys, office.renderer, LINKS, the_clinic(tx, "riverside"), "P1", None)
    assert shown.complaints == ()
    assert {warning.partition(" holds ")[0] for warning in shown.warnings} == {
        "the subject",
        "the HTML part",
        "the sender",
    }
