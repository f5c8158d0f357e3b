"""What people read: sentences and tables in the clinic's own time, and a sentence for nothing."""

import re

import pytest

from tests.cli.desk import CLINIC, OF, PATIENT, PROTOCOL, TREATED, TREATMENT, Desk
from tests.support.clinic import FOLLOW_UP_AT, INVITED_AT
from tests.support.facts import utc
from tests.support.smtp_server import RealServer


def test_a_logged_treatment_shows_its_window_and_every_reminder_in_words(new_desk: Desk) -> None:
    for command in (CLINIC, PATIENT):
        new_desk.run(*command)
    said = new_desk.run(*TREATMENT).splitlines()
    assert said[0] == f"Logged: treatment {PROTOCOL} on Mon 5 Jan 2026 (T-1) for patient 1001 of clinic north."
    assert said[1] == (
        "Its window: opens Sun 5 Apr 2026 · due Tue 5 May 2026 · overdue Fri 5 Jun 2026 · closes Sun 5 Jul 2026."
    )
    assert [line.split("  ")[0] for line in said[4:7]] == ["invitation", "follow_up", "last_call"]
    assert said[4].endswith("Mon 23 Mar 2026 at 10:00  planned")


def test_a_treatment_that_came_before_another_is_shown_as_ended(desk: Desk) -> None:
    said = desk.run("treatment", "add", *OF, "--protocol", PROTOCOL, "--on", "2025-10-01")
    assert "It ended on Mon 5 Jan 2026, when the line was treated again." in said
    assert "opens Thu 1 Jan 2026" in said
    assert "cancelled (treated again)" in said


def test_a_touch_up_says_that_it_restarts_nothing(desk: Desk) -> None:
    said = desk.run("treatment", "add", *OF, "--protocol", PROTOCOL, "--on", TREATED, "--kind", "touch_up")
    assert "A touch up never restarts the clock" in said


def test_why_tells_what_was_done_on_which_day_and_a_sentence_for_each_step(desk: Desk) -> None:
    desk.clock.set(INVITED_AT)
    desk.run("deliver")
    said = desk.run("why", *OF)
    assert "Patient 1001 of clinic north; times are those of Europe/London." in said
    assert f"({PROTOCOL}), treated on Mon 5 Jan 2026, entry T-1" in said
    assert "✓ invitation  Sent on Mon 23 Mar 2026 at 10:00" in said
    assert "→ follow up   Will be sent on Tue 5 May 2026 at 10:00.  [2]" in said
    assert "→ last call   Will be sent on Mon 15 Jun 2026 at 10:00.  [3]" in said


def test_why_for_somebody_never_treated_says_so(desk: Desk) -> None:
    desk.run(*PATIENT[:4], "--ref", "1002", *PATIENT[6:])
    assert "No treatment is recorded" in desk.run("why", "--clinic", "north", "--patient", "1002")


def test_a_preview_shows_headers_subject_and_text_and_writes_three_files(desk: Desk) -> None:
    said = desk.run("preview", *OF, "--out", "letter")
    assert "\nSubject: North Clinic: " in said
    assert "\nTo: ann@home.example\n" in said
    assert "Hello Ann," in said
    assert "This is the invitation, planned; it is due on Mon 23 Mar 2026 at 10:00 (Europe/London)." in said
    files = {path.name: path for path in (desk.folder / "letter").iterdir()}
    assert files.keys() == {"message.eml", "message.html", "message.txt"}
    assert files["message.txt"].read_text("utf-8").startswith("Hello Ann,")
    assert files["message.html"].read_text("utf-8").startswith("<!")
    assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o600}
    assert desk.run("preview", *OF, "--step", "last_call") != said


def test_a_delivery_says_what_happened_and_when_there_is_something_to_do_again(desk: Desk) -> None:
    assert desk.run("deliver").splitlines() == [
        "Nothing was due: nothing was sent.",
        "The next delivery has something to do on Mon 23 Mar 2026 at 10:00 (Europe/London).",
    ]
    desk.clock.set(INVITED_AT)
    assert desk.run("deliver").splitlines() == [
        "Sent 1 reminder.",
        "The next delivery has something to do on Tue 5 May 2026 at 10:00 (Europe/London).",
    ]
    assert len(desk.outbox()) == 1


def test_a_preview_says_why_a_step_is_worded_as_another(desk: Desk) -> None:
    worded = "It is worded as the invitation, because nothing was sent yet in this episode."
    assert worded in desk.run("preview", *OF, "--step", "follow_up")
    assert "worded" not in desk.run("preview", *OF)


def test_a_message_of_several_reminders_is_previewed_as_one_and_said_to_wait(new_desk: Desk) -> None:
    new_desk.clock.set(utc("2026-02-10 12:00"))
    for command in (CLINIC, PATIENT):
        new_desk.run(*command)
    new_desk.run("treatment", "add", *OF, "--protocol", "peel-medium", "--on", "2026-01-05")
    new_desk.run("treatment", "add", *OF, "--protocol", "filler-lips", "--on", "2025-10-08")
    assert "It goes out as one message with: filler-lips invitation." in new_desk.run("preview", *OF)
    new_desk.clock.set(utc("2026-05-22 09:00"))
    said = new_desk.run("deliver")
    assert "1 reminder waiting for another message of the same patient, or for the distance from one." in said
    assert "mail server" not in said


def test_a_delivery_that_finds_no_server_says_what_is_wrong_and_how_much_waits(desk: Desk) -> None:
    desk.clock.set(INVITED_AT)
    desk.env["REMINDERS_SMTP_URL"] = "smtp://127.0.0.1:1?tls=never"
    for _ in range(2):  # the second finds it resting
        done = desk.type("deliver")
        assert done.exit_code == 1
        assert "Nothing was due" not in done.stdout
        assert re.search(r"The mail server rests until .*: the server refuses the connection\.", done.stdout)
        assert "Waiting for it: 1 reminder." in done.stdout
        assert "the server refuses the connection" in done.stderr


def test_a_server_without_tls_is_said_to_offer_none(desk: Desk) -> None:
    desk.clock.set(INVITED_AT)
    with RealServer(starttls=None, implicit=None, auth=False) as server:
        desk.env["REMINDERS_SMTP_URL"] = f"smtp://127.0.0.1:{server.port}"
        said = desk.type("deliver")
    assert "the server offers no verified TLS" in said.stdout


def test_a_message_that_the_server_puts_off_is_said_to_be_so(desk: Desk) -> None:
    desk.clock.set(INVITED_AT)
    with RealServer(starttls=None, implicit=None, auth=False) as server:
        server.script["RCPT"].append("451 4.7.1 try again")
        desk.env["REMINDERS_SMTP_URL"] = f"smtp://127.0.0.1:{server.port}?tls=never"
        said = desk.run("deliver")
    assert "1 reminder put off by the mail server" in said
    assert "another message" not in said


def test_a_refused_address_stays_withdrawn_when_it_is_tried_again_until_it_is_changed(desk: Desk) -> None:
    desk.clock.set(INVITED_AT)
    with RealServer(starttls=None, implicit=None, auth=False) as server:
        server.script["RCPT"].append("550 5.1.1 no such user")
        desk.env["REMINDERS_SMTP_URL"] = f"smtp://127.0.0.1:{server.port}?tls=never"
        assert "refused for good" in desk.run("deliver")
    assert "it needs a new address first" in desk.run("why", *OF)
    assert desk.json("list", "--state", "failed")[0]["last_fault"] == "never at rcpt (550 5.1.1, address)"
    said = desk.run("retry", "1")
    assert "Planned again" not in said
    assert "Reminder 1 does not go out, it stays withdrawn: its address bounced or refused mail;" in said
    desk.run("patient", "set", *OF, "--email", "ann@new.example")
    assert {one["state"] for one in desk.json("list")} == {"planned"}


def test_a_held_backlog_is_told_with_the_command_that_lets_it_go(desk: Desk) -> None:
    rows = [f"{number},Bo,bo{number}@home.example,{PROTOCOL},2026-01-05" for number in range(2001, 2051)]
    file = desk.folder / "visits.csv"
    file.write_text("\n".join(["patient_ref,given_name,email,protocol,treated_on", *rows]), encoding="utf-8")
    desk.run("clinic", "set", "north", "--unknown-consent", "existing_customer")
    desk.run("import", str(file), "--clinic", "north")
    desk.clock.set(utc("2026-03-26 10:00"))
    said = desk.run("deliver")
    assert "51 reminders" in said
    assert "`reminders release --clinic north --all` lets them go." in said


def test_a_delivery_tells_the_time_in_utc_when_clinics_differ(desk: Desk) -> None:
    desk.run("clinic", "add", "south", *CLINIC[3:5], "--timezone", "America/New_York", "--email", "desk@south.example")
    assert "Mon 23 Mar 2026 at 10:00 (UTC)." in desk.run("deliver")


def test_outside_sending_hours_a_delivery_says_when(desk: Desk) -> None:
    desk.clock.set(FOLLOW_UP_AT.replace(hour=20))
    said = desk.run("deliver")
    assert "1 reminder expired" in said
    assert "The next delivery has something to do on Wed 6 May 2026 at 09:00 (Europe/London)." in said


def test_a_delivery_with_nothing_planned_says_so(desk: Desk) -> None:
    desk.run("patient", "set", *OF, "--opt-out", "all")
    assert "Nothing is planned" in desk.run("deliver")


NOTHING = {
    ("list", "--state", "sent"): "No reminder fits.",
    ("plan",): "every reminder agrees with the facts, nothing was changed.",
    ("release", "--clinic", "north", "--all"): "Nothing is held there: nothing was released.",
}


@pytest.mark.parametrize("command", NOTHING, ids=" ".join)
def test_nothing_is_told_too(desk: Desk, command: tuple[str, ...]) -> None:
    assert NOTHING[command] in desk.run(*command)


def test_an_installation_without_a_clinic_says_how_to_get_one(new_desk: Desk) -> None:
    assert "`reminders clinic add`" in new_desk.run("clinic", "list")


def test_init_tells_what_it_made_what_is_missing_and_what_to_type_next(bare_desk: Desk) -> None:
    del bare_desk.env["REMINDERS_SMTP_URL"], bare_desk.env["REMINDERS_SECRET_KEY"]
    said = bare_desk.run("init")
    assert "Made the database" in said
    assert "Made the secret key reminders.key" in said
    assert "No transport is set, so nothing can be sent" in said
    assert "No https REMINDERS_BASE_URL is set" in said
    assert "Next: `reminders clinic add`" in said
    again = bare_desk.run("init")
    assert "is there and up to date" in again
    assert "Made" not in again


def test_init_is_silent_about_what_is_set(bare_desk: Desk) -> None:
    bare_desk.env["REMINDERS_BASE_URL"] = "https://reminders.example"
    said = bare_desk.run("init")
    assert "transport" not in said
    assert "BASE_URL" not in said


def test_init_tells_no_password(bare_desk: Desk) -> None:
    document = bare_desk.json("init")
    assert document["database"] == str(bare_desk.database)


def test_a_patients_page_shows_wishes_and_visits(desk: Desk) -> None:
    desk.run("patient", "set", *OF, "--due", "14w", "--line", "face", "--opt-out", "medical")
    desk.run("patient", "hold", *OF, "--until", "2026-09-01", "--why", "travel")
    desk.run("patient", "reply", *OF, "--request")
    desk.run("appointment", "add", *OF, "--on", "2026-04-10")
    said = desk.run("patient", "show", *OF)
    for sentence in (
        "Own interval on face: 14w.",
        "Opted out of medical messages.",
        "On hold on every line until Tue 1 Sep 2026 (travel).",
        "Open answer: consultation requested",
        "Fri 10 Apr 2026  every line  open",
        "Ann Lee",
    ):
        assert sentence in said


def test_an_empty_text_takes_a_value_away(desk: Desk) -> None:
    assert desk.json("patient", "set", *OF, "--email", "")["email"] is None
    assert desk.json("patient", "set", *OF, "--birth-date", "1980-02-03")["birth_date"] == "1980-02-03"
    assert desk.json("patient", "set", *OF, "--birth-date", "")["birth_date"] is None
    assert desk.json("clinic", "set", "north", "--daily-limit", "5")["daily_limit"] == 5
    assert desk.json("clinic", "set", "north", "--daily-limit", "")["daily_limit"] is None


def test_a_held_patient_is_let_go_again(desk: Desk) -> None:
    desk.run("patient", "hold", *OF, "--until", "open", "--why", "travel")
    assert {one["reason"] for one in desk.json("list")} == {"on_hold"}
    assert "keeps patient 1001" in desk.run("patient", "unhold", *OF)
    assert {one["state"] for one in desk.json("list")} == {"planned"}


def test_a_wrong_entry_is_voided_by_its_ref_or_by_its_facts(desk: Desk) -> None:
    said = desk.run("treatment", "void", "--clinic", "north", "--ref", "T-1", "--why", "wrong patient")
    assert f"The {PROTOCOL} of Mon 5 Jan 2026 of patient 1001 is marked as entered in error." in said
    assert {one["reason"] for one in desk.json("list")} == {"entered_in_error"}
    desk.run("treatment", "add", *OF, "--protocol", PROTOCOL, "--on", TREATED)
    desk.run("treatment", "void", *OF, "--protocol", PROTOCOL, "--on", TREATED, "--why", "again")
    assert {one["reason"] for one in desk.json("list")} == {"entered_in_error"}


def test_an_appointment_stops_the_line_until_it_is_cancelled(desk: Desk) -> None:
    booked = desk.json("appointment", "add", *OF, "--on", "2026-04-10", "--line", "face")["id"]
    assert {one["reason"] for one in desk.json("list")} == {"booked"}
    assert "cancelled" in desk.run("appointment", "set", str(booked), "--outcome", "cancelled")
    assert {one["state"] for one in desk.json("list")} == {"planned"}


@pytest.mark.parametrize("outcome", ["cancelled", "missed", "kept"])
def test_a_day_booked_again_is_open_again_under_the_same_number(desk: Desk, outcome: str) -> None:
    add = ("appointment", "add", *OF, "--on", "2026-01-06", "--line", "face")
    booked = desk.json(*add)["id"]
    desk.clock.set(utc("2026-01-06 12:00"))
    desk.run("appointment", "set", str(booked), "--outcome", outcome)
    again = desk.json(*add)
    assert (again["id"], again["outcome"]) == (booked, None)
    assert {one["reason"] for one in desk.json("list")} == {"booked"}
    assert f"Appointment {booked}: patient 1001 of clinic north on Tue 6 Jan 2026, face, open." in desk.run(*add)


def test_a_missed_appointment_tells_until_when_nothing_goes_out(desk: Desk) -> None:
    booked = str(desk.json("appointment", "add", *OF, "--on", "2026-03-24")["id"])
    desk.clock.set(utc("2026-04-02 10:00"))
    missed = ("appointment", "set", booked, "--outcome", "missed")
    assert "nothing that it stopped goes out before Thu 9 Apr 2026" in desk.run(*missed)
    desk.clock.set(utc("2026-04-03 10:00"))
    assert "before Thu 9 Apr 2026" in desk.run(*missed)


def test_a_bounce_suppresses_the_address(desk: Desk) -> None:
    desk.clock.set(INVITED_AT)
    desk.run("deliver")
    assert "bounced" in desk.run("bounce", "1")
    assert {one["reason"] for one in desk.json("list", "--state", "cancelled")} == {"bounced_address"}


def test_an_import_tells_what_became_of_the_rows(desk: Desk) -> None:
    file = desk.folder / "visits.csv"
    file.write_text(
        f"patient_ref,given_name,email,protocol,treated_on\n2001,Bo,bo@home.example,{PROTOCOL},2026-01-02\n"
        "2002,Cy,cy@home.example,Forehead,2026-01-02\n",
        encoding="utf-8",
    )
    trial = desk.run("import", str(file), "--clinic", "north", "--dry-run")
    assert "A dry run: nothing is changed." in trial
    said = desk.run("import", str(file), "--clinic", "north", "--errors", "rejected.csv")
    assert "2 rows: 1 added, 0 changed, 0 unchanged, 1 rejected." in said
    assert re.search(r"Forehead +1", said)
    assert (desk.folder / "rejected.csv").exists()


def test_init_tells_a_beginner_how_to_begin_and_others_how_to_go_on(new_desk: Desk, desk: Desk) -> None:
    said = new_desk.run("init")
    assert "reminders clinic add" not in said
    assert "It holds 1 clinic: `reminders clinic list`." in said
    assert "`reminders unlock --as restored --why CODE` before anything is delivered" in said
    assert desk.json("init")["clinics"] == 1


def test_a_change_that_moves_nothing_says_nothing_of_the_plan(desk: Desk) -> None:
    assert desk.run("clinic", "set", "north", "--phone", "020 7946 0001") == "Clinic north is changed.\n"


def test_days_that_follow_one_another_are_closed_and_opened_as_one(desk: Desk) -> None:
    before = desk.json("list")
    desk.run("clinic", "set", "north", "--closed", "2026-03-20..2026-03-24", "--closed", "2026-04-01")
    [clinic] = desk.json("clinic", "list")
    assert clinic["closed_days"] == [*(f"2026-03-{day}" for day in range(20, 25)), "2026-04-01"]
    assert desk.json("list")[0]["due_at"] == "2026-03-25T10:00:00Z"
    desk.run("clinic", "set", "north", "--open", "2026-03-20..2026-04-01")
    assert desk.json("list") == before
    desk.run("clinic", "set", "north", "--closed", "2026-01-01..2027-01-01")  # 366 days, the most


@pytest.mark.parametrize(
    ("days", "problem"),
    [
        ("2026-03-24..2026-03-20", "the last day lies before the first"),
        ("2026-01-01..2027-01-02", "at most 366 days at once"),
        ("2026-03-20..", "YYYY-MM-DD"),
        ("..2026-03-20", "YYYY-MM-DD"),
        ("2026-03-20...2026-03-21", "YYYY-MM-DD"),
        ("2026-03-20..soon", "YYYY-MM-DD"),
    ],
)
def test_days_that_make_no_sense_are_refused(desk: Desk, days: str, problem: str) -> None:
    assert problem in desk.fails(2, "clinic", "set", "north", "--closed", days)
    assert problem in desk.fails(2, "clinic", "set", "north", "--open", days)


def test_a_changed_calendar_tells_what_was_planned_again(desk: Desk) -> None:
    said = desk.run("clinic", "set", "north", "--closed", "2026-03-23")
    assert "Reminders planned again: 1 moved." in said
    assert desk.json("list")[0]["due_at"] == "2026-03-24T10:00:00Z"


def test_an_erasure_says_what_it_cleaned_and_leaves_nothing(desk: Desk) -> None:
    said = desk.run("patient", "erase", *OF)
    assert "No byte of their name or address is left" in said
    assert b"ann@home.example" not in desk.database.read_bytes()


def test_the_audit_of_a_sound_installation_says_so(desk: Desk) -> None:
    assert "Every promise holds." in desk.run("audit")


def test_the_doctor_names_what_it_looked_at(desk: Desk) -> None:
    said = desk.run("doctor")
    assert "✓ database" in said
    assert "✓ templates" in said
