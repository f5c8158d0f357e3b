"""The audit of a large database needs no more memory than that of a small one."""

import datetime as dt
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, insert, select

from reminders.store import audit_trail
from reminders.store.columns import metadata
from reminders.store.database import create_or_upgrade
from reminders.store.fact_codes import run_code, treatment_code
from reminders.store.packing import unpack
from reminders.store.patients import address_code
from tests.support.clinic import INVITED_AT, FakeClock, Office
from tests.support.database import Copies
from tests.support.memory import peak_kilobytes
from tests.support.post import Post
from tests.support.tamper import Row

TRAIL_ROWS, REMINDERS = 60_000, 12_000
LIMIT_MB = 160
NOW = INVITED_AT + dt.timedelta(hours=1)
_OF_A_PATIENT = ("patients", "episodes", "treatments", "messages", "reminders")
_REFERS = {
    "patient_id": "patients",
    "episode_id": "episodes",
    "treatment_id": "treatments",
    "message_pk": "messages",
}


def one_patient(url: str) -> None:
    """Make a clinic with one patient, who got her invitation, and whose story staff have noted often."""
    create_or_upgrade(url)
    office = Office(url, FakeClock())
    office.install()
    office.add_clinic()
    office.add_patient()
    office.treat()
    for number in range(2):
        office.change_patient(known_as=f"Kit{number}")
    office.clock.set(INVITED_AT)
    assert office.deliver(Post(office.clock.now)).sent == 1
    office.close()


class Multiplied:
    """One patient's rows, again and again under other numbers, each with a whole trail of its own."""

    def __init__(self, url: str, connection: Connection) -> None:
        self.connection = connection
        self.rows = {name: self._read(name) for name in (*_OF_A_PATIENT, "audit")}
        self.key = Office(url, FakeClock()).keys.audit_key

    def _read(self, name: str) -> list[Row]:
        table = metadata.tables[name]
        return [dict(row) for row in self.connection.execute(select(table).order_by(table.c.id)).mappings()]

    def until(self, trail: int, reminders: int) -> None:
        """Go on until there are so many entries and so many reminders."""
        mine = [row for row in self.rows["audit"] if row["patient_id"] == 1]
        last = self.rows["audit"][-1]
        number, mac = last["id"], last["mac"]
        copies = max(reminders // len(self.rows["reminders"]), (trail - number) // len(mine)) + 1
        for first in range(1, copies + 1, 500):
            numbers = range(first, min(first + 500, copies + 1))
            for name in _OF_A_PATIENT:
                rows = [self._again(name, row, copy) for copy in numbers for row in self.rows[name]]
                self.connection.execute(insert(metadata.tables[name]), rows)
            entries = []
            for copy in numbers:
                for row in mine:
                    number += 1
                    new = self._entry(row, copy) | {"id": number}
                    mac = audit_trail._mac(self.key, mac, new)  # noqa: SLF001 - the product would take minutes
                    entries.append(new | {"mac": mac})
            self.connection.execute(insert(metadata.tables["audit"]), entries)

    @staticmethod
    def _again(name: str, row: Row, copy: int) -> Row:
        new = row | {"id": row["id"] + copy * 10}
        new |= {column: row[column] + copy * 10 for column in _REFERS if row.get(column) is not None}
        if name == "patients":
            new |= {"ref": f"C{copy}", "notes": None}
        if name == "messages":
            content = unpack(row["content"], None) if copy % 50 == 0 else None
            new_id = row["message_id"].replace("<", f"<c{copy}.")
            new |= {
                "message_id": new_id,
                "packed": False,
                "content": content and content.replace(row["message_id"].encode(), new_id.encode()),
            }
        return new

    @staticmethod
    def _change(told: Sequence[Any], later: int) -> list[object]:
        key, *rest, last = told
        identity = [last[0] + later, *last[1:]] if isinstance(last, list) else last
        return [key + later, *rest, identity]

    def _entry(self, row: Row, copy: int) -> Row:
        new = {name: value for name, value in row.items() if name != "mac"}
        new["patient_id"] = row["patient_id"] + copy * 10
        if row["subject"] in ("patient", "treatment", "reminder", "episode"):
            new["subject_id"] = row["subject_id"] + copy * 10
        details = row["details"] or {}
        if "changes" in details:
            new["details"] = {"changes": [self._change(told, copy * 10) for told in details["changes"]]}
        if "message" in details:
            new["details"] = {"message": details["message"] + copy * 10}
        if "address_key" in details.get("codes", ()):
            code = address_code(self.key, new["subject_id"], self.rows["patients"][0]["address_key"])
            new["details"] = details | {"codes": details["codes"] | {"address_key": code}}
        if row["subject"] == "treatment":
            given, [episode] = self.rows["treatments"][0], self.rows["episodes"]
            code = treatment_code(self.key, new["subject_id"], given["protocol"], given["day"], given["kind"])
            run = run_code(self.key, new["subject_id"], episode["id"] + copy * 10, episode["line"], None)
            new["details"] = {"code": code, "run": run}
        return new


@pytest.mark.timeout(600)
def test_sixty_thousand_entries_are_audited_within_the_limit(copies: Copies, backend: str) -> None:
    url = copies.copy(one_patient)
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    trail, reminders = (TRAIL_ROWS, REMINDERS) if backend == "sqlite" else (TRAIL_ROWS // 10, REMINDERS // 10)
    with engine.begin() as connection:
        Multiplied(url, connection).until(trail, reminders)
    engine.dispose()
    child = [sys.executable, "-m", "tests.services.test_audit_memory", url]
    said = subprocess.run(child, check=True, capture_output=True, text=True).stdout.split()
    findings, entries, rows, peak = (int(word) for word in said)
    assert findings == 0
    assert entries >= trail
    assert rows >= reminders
    assert peak // 1024 < LIMIT_MB


def main(url: str) -> None:
    """Audit a database and print the findings, the entries, the reminders, and the peak in kilobytes."""
    from reminders.services.audit import audit  # noqa: PLC0415 - only the child's memory is measured

    office = Office(url, FakeClock(NOW))
    report = audit(office.database, office.clock, office.keys)
    office.close()
    for finding in report.findings[:3]:
        sys.stderr.write(f"{finding}\n")
    count = len(report.findings) + report.more
    sys.stdout.write(f"{count} {report.checked['trail_entries']} {report.checked['reminders']} {peak_kilobytes()}\n")


if __name__ == "__main__":
    main(sys.argv[1])
