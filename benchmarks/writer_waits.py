"""Plans a large clinic on SQLite in one process and says how long another one waits to write a single fact meanwhile.

Usage: python benchmarks/writer_waits.py [PATIENTS] [SECONDS]. The promise is that nobody waits longer than about a
second, or two batches of the plan.
"""

import datetime as dt
import multiprocessing
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from reminders.clock import SystemClock
from reminders.services import catalogue, clinic, patient, record
from reminders.services.find import the_clinic
from reminders.services.keys import Keys
from reminders.services.plan import plan_everyone
from reminders.store.database import Database, create_or_upgrade

PEPPER = b"the pepper of a benchmark, 32 by"
AT_ONCE = 1000
BETWEEN_S = 0.2
"""The pause between two writes: a desk in a hurry."""


def main(count: int, seconds: float) -> int:
    """Run the benchmark in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder, 'reminders.db')}"
        _fill(url, count)
        for name, stop in (("alone", None), ("beside a plan", _planning(url))):
            waits = sorted(_write_for(url, seconds, count))
            if stop is not None:
                stop()
            middle, longest = waits[len(waits) // 2], waits[-1]
            _say(f"{name}: {len(waits)} writes, {middle:.2f} s in the middle, {longest:.2f} s at most")
    return 0


def _opened(url: str) -> tuple[Database, Keys]:
    keys = Keys(PEPPER)
    return Database(url, audit_key=keys.audit_key), keys


def _fill(url: str, count: int) -> None:
    create_or_upgrade(url)
    database, keys = _opened(url)
    now = SystemClock().now()
    with database.write(now, "benchmark") as tx:
        catalogue.install_starter(tx)
        clinic.add_clinic(tx, "clinic", {"name": "A", "timezone": "Europe/London", "email": "hello@clinic.example"})
    for first in range(0, count, AT_ONCE):
        with database.write(now, "benchmark") as tx:
            found = the_clinic(tx, "clinic")
            for number in range(first, min(first + AT_ONCE, count)):
                given = {"given_name": "Ada", "email": f"p{number}@home.example", "consent": "granted"}
                patient.add_patient(tx, keys, found, f"P{number}", given)
                day = now.date() - dt.timedelta(days=number % 180)
                record.add_treatment(tx, found, record.NewTreatment(f"P{number}", "botulinum-cosmetic", day))
        sys.stderr.write(f"\r{first} of {count}")
    database.close()


def _planning(url: str) -> Callable[[], None]:
    """Begin to plan again and again in another process; return what ends that."""
    process = multiprocessing.get_context("spawn").Process(target=_plan, args=(url,), daemon=True)
    process.start()
    threading.Event().wait(3)
    return process.kill


def _plan(url: str) -> None:
    database, _ = _opened(url)
    while True:
        began = time.perf_counter()
        outcome = plan_everyone(database, SystemClock())
        _say(f"planned {outcome.patients} patients in {time.perf_counter() - began:.1f} s")


def _write_for(url: str, seconds: float, count: int) -> list[float]:
    database, keys = _opened(url)
    chance = random.Random(1)
    ended, waits = time.perf_counter() + seconds, []
    while time.perf_counter() < ended:
        began = time.perf_counter()
        with database.write(SystemClock().now, "benchmark") as tx:
            change = patient.PatientChange(given={"phone": f"07{chance.randrange(10**9):09}"})
            patient.change_patient(tx, keys, the_clinic(tx, "clinic"), f"P{chance.randrange(count)}", change)
        waits.append(time.perf_counter() - began)
        threading.Event().wait(BETWEEN_S)
    database.close()
    return waits


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    given = sys.argv[1:] + ["20000", "60"][len(sys.argv) - 1 :]
    sys.exit(main(int(given[0]), float(given[1])))
