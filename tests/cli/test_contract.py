"""What scripts outside the project rely on: every command's JSON document, its keys and its forms.

Invariant: a key may be added here, and none is ever taken away.
"""

import json
import re
from typing import Any

import pytest

from tests.cli.desk import CLINIC, OF, PATIENT, PROTOCOL, TREATED, Desk
from tests.support.clinic import INVITED_AT

REMINDER = {
    *("id", "clinic", "patient", "treatment", "protocol", "step", "state", "reason", "due_at", "not_after", "window"),
    *("sent_at", "message_id", "attempts"),
}
WINDOW = {"opens", "due", "overdue", "closes"}
CLINIC_KEYS = {
    *("slug", "name", "timezone", "email", "sender_name", "reply_to", "phone", "booking_url", "address", "language"),
    *("jurisdiction", "country", "region", "sending_days", "sending_hours", "send_at", "daily_limit"),
    *("unknown_consent", "closed_days", "paused_at", "practitioners"),
}
PATIENT_KEYS = {
    *("clinic", "ref", "given_name", "family_name", "known_as", "email", "phone", "language", "consent", "status"),
    *("birth_date", "representative_email", "practitioner", "own_intervals", "opt_outs", "suppressions", "holds"),
    *("answers", "treatments", "appointments", "reminders"),
}
PLAN = {"inserted", "moved", "withdrawn", "restored", "held", "expired", "backlog_held", "patients", "skipped"}
DELIVERED = {"sent", "deferred", "failed", "unknown", "cancelled", "expired", "held", "announced", "next_at"}
IMPORTED = {"rows", "added", "changed", "unchanged", "rejected", "errors", "warnings"}
PROTOCOL_KEYS = {
    *(
        "code",
        "name",
        "label",
        "class",
        "group",
        "line",
        "min_days",
        "window",
        "steps",
        "source",
        "verified",
        "version",
    ),
}
DOCUMENTS: dict[tuple[str, ...], set[str]] = {
    ("init",): {"key_made", "database_made", "upgraded_from", "revision", "protocols_added", "transport_set"},
    ("clinic", "set", "north", "--phone", "1"): {*CLINIC_KEYS, "plan"},
    ("clinic", "pause", "north"): {*CLINIC_KEYS, "plan"},
    ("clinic", "resume", "north"): {*CLINIC_KEYS, "plan"},
    ("clinic", "location", "north", "--name", "Quay"): {"clinic", "location"},
    ("patient", "show", *OF): PATIENT_KEYS,
    ("patient", "set", *OF, "--phone", "1"): PATIENT_KEYS,
    ("patient", "hold", *OF, "--until", "open", "--why", "travel"): PATIENT_KEYS,
    ("patient", "reply", *OF): PATIENT_KEYS,
    ("patient", "export", *OF): {"patient", "messages", "answers", "audit"},
    ("patient", "erase", *OF): {"clinic", "ref", "files_cleaned"},
    ("treatment", "add", *OF, "--protocol", PROTOCOL, "--on", TREATED): {"treatment", "window", "reminders"},
    ("treatment", "void", "--clinic", "north", "--ref", "T-1", "--why", "error"): {"treatment"},
    ("appointment", "add", *OF, "--on", "2026-04-10"): {"id", "clinic", "patient", "on", "line", "outcome"},
    ("plan",): PLAN,
    ("deliver",): DELIVERED,
    ("why", *OF): {"clinic", "patient", "notes", "episodes"},
    ("preview", *OF): {"step", "subject", "headers", "text", "html", "due_at"},
    ("hold", "1", "--why", "later"): {"reminders"},
    ("release", "--clinic", "north", "--all"): {"reminders"},
    ("doctor",): {"well", "checks"},
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
DAY = re.compile(r"\d{4}-\d\d-\d\d")


@pytest.mark.parametrize("command", DOCUMENTS, ids=" ".join)
def test_a_command_prints_one_document_with_the_keys_it_promised(desk: Desk, command: tuple[str, ...]) -> None:
    document = desk.json(*command)
    assert DOCUMENTS[command] - document.keys() == set()


def test_the_lists_are_lists_of_objects(desk: Desk) -> None:
    (clinic,) = desk.json("clinic", "list")
    assert CLINIC_KEYS - clinic.keys() == set()
    for command in (("protocol", "list"), ("protocol", "export")):
        protocols = desk.json(*command)
        assert [one["code"] for one in protocols if PROTOCOL_KEYS - one.keys()] == []
        assert all(one["window"].keys() == WINDOW for one in protocols)
        assert all({"name", "anchor", "offset"} <= step.keys() for one in protocols for step in one["steps"])
    reminders = desk.json("list")
    assert [one for one in reminders if REMINDER - one.keys() or one["window"].keys() != WINDOW] == []
    assert len(reminders) == 3


def test_a_reminder_is_told_in_utc_and_in_days(desk: Desk) -> None:
    desk.clock.set(INVITED_AT)
    assert desk.json("deliver")["sent"] == 1
    for reminder in desk.json("list"):
        assert MOMENT.fullmatch(reminder["due_at"])
        assert MOMENT.fullmatch(reminder["not_after"])
        assert [day for day in reminder["window"].values() if not DAY.fullmatch(day)] == []
    (sent,) = desk.json("list", "--state", "sent")
    assert sent["due_at"] == sent["sent_at"] == "2026-03-23T10:00:00Z"
    assert (sent["clinic"], sent["patient"], sent["treatment"]) == ("north", "1001", "T-1")
    assert sent["message_id"].startswith("<")
    assert sent["attempts"] == 1


def test_a_logged_treatment_shows_its_window_and_the_same_reminders_as_the_list(desk: Desk) -> None:
    again = desk.json("treatment", "add", *OF, "--protocol", PROTOCOL, "--on", TREATED, "--ref", "T-1")
    assert again["treatment"]["ref"] == "T-1"
    assert again["window"] == {
        "opens": "2026-04-05",
        "due": "2026-05-05",
        "overdue": "2026-06-05",
        "closes": "2026-07-05",
    }
    assert again["reminders"] == desk.json("list", *OF)


def test_a_treatment_of_long_ago_shows_the_steps_that_are_not_stored(desk: Desk) -> None:
    old = desk.json("treatment", "add", *OF, "--protocol", PROTOCOL, "--on", "2024-01-05")
    assert [(one["id"], one["state"], one["reason"]) for one in old["reminders"]] == [(None, "expired", "too_late")] * 3
    assert old["window"]["opens"] == "2024-04-05"


def test_a_touch_up_has_no_window_and_no_reminders(desk: Desk) -> None:
    logged = desk.json("treatment", "add", *OF, "--protocol", PROTOCOL, "--on", TREATED, "--kind", "touch_up")
    assert (logged["window"], logged["reminders"]) == (None, [])


def test_a_new_clinic_and_a_new_patient_are_printed(new_desk: Desk) -> None:
    clinic = new_desk.json(*CLINIC)
    assert CLINIC_KEYS - clinic.keys() == set()
    assert (clinic["sending_days"], clinic["sending_hours"]) == (["mon", "tue", "wed", "thu", "fri"], "09:00-17:00")
    patient = new_desk.json(*PATIENT)
    assert PATIENT_KEYS - patient.keys() == set()


def test_an_import_prints_its_counts(desk: Desk) -> None:
    file = desk.folder / "visits.csv"
    file.write_text("patient_ref,given_name,email\n2001,Bo,bo@home.example\n2002,Cy,nothing\n,,\n", encoding="utf-8")
    report = desk.json("import", str(file), "--clinic", "north")
    assert IMPORTED - report.keys() == set()
    assert (report["rows"], report["added"], report["rejected"]) == (2, 2, 0)
    assert [warning.keys() for warning in report["warnings"]] == [{"row", "column", "problem"}]
    assert desk.json("import", str(file), "--clinic", "north")["unchanged"] == 2


def test_a_catalogue_prints_what_became_of_each_code(desk: Desk) -> None:
    file = desk.folder / "catalogue.json"
    file.write_text(json.dumps(desk.json("protocol", "export")), encoding="utf-8")
    outcome = desk.json("protocol", "import", str(file))
    assert (outcome["added"], outcome["changed"]) == ([], [])
    assert PROTOCOL in outcome["unchanged"]


def test_an_audit_prints_its_findings(desk: Desk) -> None:
    done = desk.type("audit", "--json")
    document: dict[str, Any] = json.loads(done.stdout)
    assert {"sound", "findings", "checked"} <= document.keys()
    assert document["sound"] is (done.exit_code == 0)


def test_decisions_print_the_reminders_as_they_are_afterwards(desk: Desk) -> None:
    (held,) = desk.json("hold", "1", "--why", "ask first")["reminders"]
    assert (held["state"], held["reason"]) == ("held", "held_for_review")
    (released,) = desk.json("release", "1")["reminders"]
    assert (released["state"], released["reason"]) == ("planned", None)
    assert REMINDER - released.keys() == set()


def test_why_gives_every_step_a_sentence(desk: Desk) -> None:
    (episode,) = desk.json("why", *OF)["episodes"]
    assert (episode["line"], episode["protocol"], episode["on"]) == ("face", PROTOCOL, TREATED)
    assert [REMINDER - step.keys() for step in episode["steps"]] == [set()] * 3
    assert [step for step in episode["steps"] if not step["sentence"].endswith(".")] == []
    assert [step["goes_out_at"] for step in episode["steps"]] == [step["due_at"] for step in episode["steps"]]


def test_an_exported_record_holds_the_messages_and_the_trail(desk: Desk) -> None:
    desk.clock.set(INVITED_AT)
    desk.run("deliver")
    document = desk.json("patient", "export", *OF)
    assert document["patient"]["email"] == "ann@home.example"
    (message,) = document["messages"]
    assert "Ann" in message["text"]
    assert MOMENT.fullmatch(document["audit"][0]["at"])


def test_the_version_is_printed(desk: Desk) -> None:
    assert re.fullmatch(r"reminders \d+\.\d+\.\d+\n", desk.run("--version"))
