"""A clinic's own templates: kept once proven, used where they belong, holding their own messages when broken."""

import pytest
from sqlalchemy import text

from reminders.domain.lifecycle import Reason, State
from reminders.mail.advertising.jurisdiction import check_version
from reminders.mail.compose import parts
from reminders.services import templates
from reminders.services.checkup.templates import own_templates_checks
from reminders.services.find import the_clinic
from reminders.services.subjects import Lookup, template_for
from reminders.services.templates import (
    NoSuchPlace,
    NoSuchTemplate,
    NoSuchVersion,
    Saved,
    TemplateRefused,
)
from reminders.store import audit_trail
from reminders.store import templates as stored
from reminders.store.templates import Place
from tests.support.clinic import INVITED_AT, Office, to
from tests.support.smtp_server import RealServer

AT = Place("cosmetic", "invitation", "en")
SUBJECT = "Subject: {% if sender %}{{ sender }}: a consultation{% else %}A consultation{% endif %}"


def words(said: str) -> str:
    return f"{SUBJECT}\n\n{said}\n"


def save(office: Office, said: str, place: Place = AT, slug: str = "riverside") -> Saved:
    return templates.save(office.database, office.clock, "test", slug, place, words(said))


def keep_unproven(office: Office, source: str, place: Place = AT, slug: str = "riverside") -> None:
    """Store a template as an older check might have let it pass."""
    with office.write() as tx:
        stored.add_version(tx, the_clinic(tx, slug).id, place, source, "an older check")


def message_rows(office: Office) -> list[tuple[str | None, str | None]]:
    with office.read() as tx:
        found = tx.connection.execute(text("SELECT template_version, fingerprint FROM messages ORDER BY id"))
        return [(row[0], row[1]) for row in found]


def said_to(server: RealServer) -> list[str]:
    return [parts(message.content).text for message in server.messages]


def test_a_clinics_own_words_are_sent_and_their_version_is_recorded(office: Office, server: RealServer) -> None:
    saved = save(office, "Our very own words.")
    office.clock.set(INVITED_AT)
    assert office.deliver(to(server)).sent == 1
    [said] = said_to(server)
    assert "Our very own words." in said
    assert "Your consultation" in said
    [(version, _)] = message_rows(office)
    assert (version or "").startswith(f"own:{saved.template.id}.1+")
    assert len(version or "") <= 64


def test_another_clinic_keeps_the_shipped_words(office: Office, server: RealServer) -> None:
    save(office, "Our very own words.")
    office.add_clinic("harbour")
    office.add_patient("H1", "harbour")
    office.treat("H1", slug="harbour")
    office.clock.set(INVITED_AT)
    office.deliver(to(server), 2)
    assert ["Our very own words." in said for said in sorted(said_to(server))].count(True) == 1
    assert sum((version or "").startswith("own:") for version, _ in message_rows(office)) == 1


def test_a_refused_template_changes_nothing_and_says_every_line(office: Office) -> None:
    before = save(office, "The first words.").template
    with pytest.raises(TemplateRefused) as caught:
        save(office, "{{ nobody }}")
    assert [one.line for one in caught.value.complaints] == [3]
    assert "line 3" in str(caught.value)
    with office.read() as tx:
        assert stored.versions(tx, before.clinic_id, AT) == [before]


def test_versions_count_up_and_the_same_words_make_none(office: Office) -> None:
    assert [save(office, said).template.version for said in ("One.", "Two.", "Two.", "One.")] == [1, 2, 2, 3]
    assert not save(office, "One.").fresh


def test_versions_are_listed_with_what_changed(office: Office) -> None:
    save(office, "One.")
    save(office, "Two.")
    with office.read() as tx:
        first, second = templates.versions(tx, the_clinic(tx, "riverside"), AT)
    assert first.differences == ()
    assert {"-One.", "+Two."} <= set(second.differences)


def test_an_older_version_comes_back_as_a_new_one(office: Office) -> None:
    save(office, "One.")
    save(office, "Two.")
    restored = templates.restore(office.database, office.clock, "test", "riverside", AT, 1).template
    assert (restored.version, restored.source) == (3, words("One."))


def test_an_older_version_that_is_refused_today_does_not_come_back(office: Office) -> None:
    keep_unproven(office, words("{{ nobody }}"))
    save(office, "Two.")
    with pytest.raises(TemplateRefused):
        templates.restore(office.database, office.clock, "test", "riverside", AT, 1)


def test_a_withdrawn_template_gives_way_to_the_shipped_one_and_counts_on(office: Office, server: RealServer) -> None:
    save(office, "Our very own words.")
    with office.write() as tx:
        templates.withdraw(tx, "riverside", AT)
    office.clock.set(INVITED_AT)
    office.deliver(to(server))
    assert "Our very own words." not in said_to(server)[0]
    assert save(office, "Again our words.").template.version == 2


def test_an_older_version_is_not_in_force_again_when_the_newest_is_withdrawn(office: Office) -> None:
    save(office, "One.")
    save(office, "Two.")
    with office.write() as tx:
        templates.withdraw(tx, "riverside", AT)
        assert stored.in_force(tx, the_clinic(tx, "riverside").id, AT) is None
        assert templates.list_templates(tx, None) == []


def test_what_was_never_there_is_one_sentence(office: Office) -> None:
    with office.write() as tx:
        with pytest.raises(NoSuchTemplate):
            templates.withdraw(tx, "riverside", AT)
        with pytest.raises(NoSuchTemplate):
            templates.versions(tx, the_clinic(tx, "riverside"), AT)
    save(office, "One.")
    with pytest.raises(NoSuchVersion):
        templates.restore(office.database, office.clock, "test", "riverside", AT, 7)


@pytest.mark.parametrize(
    "place",
    [
        Place("surgical", "invitation", "en"),
        Place("cosmetic", "farewell", "en"),
        Place("cosmetic", "invitation", "tlh"),
        Place("cosmetic", "invitation", "en", "no-such-protocol"),
        Place("cosmetic", "invitation", "en", "botulinum-migraine"),
    ],
)
def test_a_message_that_there_is_not_has_no_template(office: Office, place: Place) -> None:
    with pytest.raises(NoSuchPlace):
        save(office, "One.", place)


def test_the_protocols_own_comes_before_the_steps_and_neither_crosses_a_language(office: Office) -> None:
    code = "botulinum-cosmetic"
    step = save(office, "For the step.").template
    own = save(office, "For the protocol.", Place("cosmetic", "invitation", "en", code)).template
    with office.read() as tx:
        room = Lookup().rooms(tx, [step.clinic_id])[step.clinic_id]

        def chosen(*codes: str, language: str = "en", stage: str = "invitation") -> int | None:
            found = template_for(room, "cosmetic", stage, codes, language)
            return found.id if found else None

        assert chosen(code) == own.id
        assert chosen("filler-lips") == step.id
        assert chosen(code, "filler-lips") == step.id
        assert chosen(code, language="fr") is None
        assert chosen(code, stage="follow_up") is None


def test_a_withdrawn_protocols_own_gives_way_to_the_steps(office: Office) -> None:
    code = "botulinum-cosmetic"
    own = Place("cosmetic", "invitation", "en", code)
    step = save(office, "For the step.").template
    save(office, "For the protocol.", own)
    with office.write() as tx:
        templates.withdraw(tx, "riverside", own)
        room = Lookup().rooms(tx, [step.clinic_id])[step.clinic_id]
        found = template_for(room, "cosmetic", "invitation", [code], "en")
    assert found is not None
    assert found.id == step.id


def test_a_patient_of_another_language_never_gets_words_of_this_one(office: Office, server: RealServer) -> None:
    save(office, "Our very own words.")
    office.change_patient(language="fr")
    office.clock.set(INVITED_AT)
    office.deliver(to(server))
    assert "Our very own words." not in said_to(server)[0]


@pytest.mark.parametrize("broken", ["{{ nobody }}", "{% for x in y %}{% endfor %}", "See https://evil.example now."])
def test_a_broken_template_holds_that_clinics_messages_alone_until_it_is_mended(
    office: Office, server: RealServer, broken: str
) -> None:
    office.add_clinic("harbour")
    office.add_patient("H1", "harbour")
    office.treat("H1", slug="harbour")
    keep_unproven(office, words(broken))
    office.clock.set(INVITED_AT)
    assert office.deliver(to(server), 4).sent == 1
    held = office.row()
    assert (held.state, held.reason) == (State.HELD, Reason.TEMPLATE_BROKEN)
    assert office.row(ref="H1", slug="harbour").state is State.SENT
    save(office, "Mended words.")
    assert office.deliver(to(server)).sent == 1
    assert "Mended words." in said_to(server)[-1]


def test_a_broken_template_that_is_withdrawn_lets_its_messages_go_with_the_shipped_words(
    office: Office, server: RealServer
) -> None:
    keep_unproven(office, words("{{ nobody }}"))
    office.clock.set(INVITED_AT)
    assert office.deliver(to(server)).held == 1
    with office.write() as tx:
        templates.withdraw(tx, "riverside", AT)
    assert office.deliver(to(server)).sent == 1


def test_new_words_reach_a_message_whose_bytes_were_kept_already(office: Office, server: RealServer) -> None:
    save(office, "The first words.")
    office.clock.set(INVITED_AT)
    server.script["DOT"].append("451 4.3.0 later")
    office.deliver(to(server))
    save(office, "The second words.")
    office.clock.advance(hours=2)
    assert office.deliver(to(server)).sent == 1
    assert "The second words." in said_to(server)[-1]


def test_saving_and_withdrawing_stand_on_the_audit_trail_without_the_words(office: Office) -> None:
    saved = save(office, "Our very own words.").template
    with office.write() as tx:
        templates.withdraw(tx, "riverside", AT)
        found = audit_trail.entries(tx, subject="template", subject_id=saved.id)
    assert [(one.action, one.clinic_id, one.actor) for one in found] == [
        ("save", saved.clinic_id, "test"),
        ("withdraw", saved.clinic_id, "test"),
    ]
    assert "own words" not in str(found)


def test_what_is_kept_is_examined_again_with_todays_rules(office: Office) -> None:
    keep_unproven(office, words("{{ nobody }}"))
    save(office, "Fine words.", Place("cosmetic", "follow_up", "en"))
    with office.read() as tx:
        found = {listed.template.place.stage: complaints for listed, complaints in templates.try_stored(tx, None)}
    assert [one.line for one in found["invitation"]] == [3]
    assert found["follow_up"] == ()


def test_the_doctor_says_which_template_is_broken_today(office: Office) -> None:
    save(office, "Good words.", Place("cosmetic", "follow_up", "en"))
    keep_unproven(office, words("{{ nobody }}"))
    with office.read() as tx:
        found = {check.name: check for check in own_templates_checks(tx, None)}
    broken = found["clinic riverside: own template for cosmetic invitation in en"]
    assert broken.ok is False
    assert "nobody" in broken.said
    assert found["clinic riverside: own template for cosmetic follow_up in en"].ok is not False


def test_a_message_records_the_version_of_the_word_lists_it_passed(office: Office, server: RealServer) -> None:
    office.clock.set(INVITED_AT)
    assert office.deliver(to(server)).sent == 1
    with office.read() as tx:
        assert tx.connection.execute(text("SELECT check_version FROM messages")).scalars().all() == [check_version()]


def test_the_words_a_jurisdiction_forbids_are_refused_for_its_clinics(office: Office) -> None:
    with pytest.raises(TemplateRefused):
        save(office, "Time for your Botox.")
