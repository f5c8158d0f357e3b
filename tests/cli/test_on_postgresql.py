"""The main commands on a PostgreSQL server, once: what works on SQLite is typed the same and says the same."""

import datetime as dt
from collections.abc import Iterator

import pytest

from tests.cli.desk import ADDRESS, OF, Desk
from tests.support.clinic import INVITED_AT
from tests.support.postgres import Cluster
from tests.support.tampering import contents_at

VISITS = (
    "patient_ref,given_name,email,consent,protocol,treated_on,visit_status\n"
    "2001,Bea,bea@post.example,yes,botulinum-cosmetic,2026-01-02,completed\n"
    "2002,Cy,,yes,botulinum-cosmetic,2026-01-02,completed\n"
)


@pytest.fixture
def server_desk(bare_desk: Desk, postgres: Cluster) -> Iterator[Desk]:
    """A folder whose settings name a database of a server, without any table yet."""
    name = postgres.make()
    bare_desk.env["REMINDERS_DATABASE_URL"] = postgres.url(name)
    yield bare_desk
    postgres.drop(name)


def test_the_main_job_is_done_on_a_server(server_desk: Desk) -> None:
    desk = server_desk
    assert "reminders init" in desk.type("list").stderr
    desk.run("init")
    assert "up to date" in desk.run("init")
    desk.open_for_business()
    (desk.folder / "visits.csv").write_text(VISITS, encoding="utf-8")
    first = desk.json("import", "visits.csv", "--clinic", "north")
    assert (first["added"], first["rejected"]) == (2, 0)
    assert desk.json("import", "visits.csv", "--clinic", "north")["unchanged"] == 2
    desk.clock.set(INVITED_AT + dt.timedelta(minutes=1))
    desk.run("plan")
    assert desk.json("deliver")["sent"] == 2
    assert desk.json("deliver")["sent"] == 0
    sent = desk.json("list", "--clinic", "north", "--state", "sent")
    assert {row["patient"] for row in sent} == {"1001", "2001"}
    assert "Sent on" in desk.run("why", *OF)
    assert "Every promise holds" in desk.run("audit")
    checks = {check["name"]: check for check in desk.json("doctor")["checks"]}
    assert checks["database"]["ok"] is True
    assert checks["database file"]["said"] == "PostgreSQL looks after its own files"


def test_an_erased_patient_is_in_no_row_and_it_says_what_the_files_still_hold(server_desk: Desk) -> None:
    desk = server_desk
    desk.run("init")
    desk.open_for_business()
    desk.clock.set(INVITED_AT + dt.timedelta(minutes=1))
    desk.run("deliver")
    address = desk.env["REMINDERS_DATABASE_URL"]
    assert ADDRESS in "\n".join(contents_at(address))
    said = desk.run("patient", "erase", *OF)
    assert "PostgreSQL's files may until it vacuums" in said
    left = "\n".join(contents_at(address))
    for word in (ADDRESS, ADDRESS.encode().hex(), "Lee", b"Dear Ann".hex()):
        assert word not in left
    desk.run("audit")
