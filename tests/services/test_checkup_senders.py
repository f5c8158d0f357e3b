"""What doctor says of the senders: one group per domain, the keys, and the sender of the test mail."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import dkim as verifier  # type: ignore[import-untyped]  # it brings no types
import pytest

from reminders.services import signing
from reminders.services.checkup.check import Check
from reminders.services.checkup.doctor import doctor
from reminders.services.find import NoSuchClinic
from reminders.services.install import install
from reminders.services.opening import open_installation
from reminders.services.signing import KeyView
from reminders.settings import Settings
from reminders.store import clinics
from tests.services.delivered import INVITED, START, SetClock
from tests.services.test_doctor import settings_in, tamper
from tests.support.name_server import NameServer, Rude

CLINICS = {
    "elm": ("hello@trees.clinic", "desk@answers.clinic"),
    "linden": ("linden@trees.clinic", None),
    "north": ("north@north.example", "desk@north.example"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an installation with three clinics, two of them on one domain."""
    folder = tmp_path_factory.mktemp("senders")
    install(settings_in(folder), SetClock(START))
    database, _ = open_installation(settings_in(folder), SetClock(START))
    with database.write(START, "cli") as tx:
        for slug, (email, reply_to) in CLINICS.items():
            clinics.add_clinic(
                tx, slug=slug, name=slug.title(), timezone="Europe/London", email=email, reply_to=reply_to
            )
    database.close()
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    for name in ("reminders.db", "reminders.key"):
        shutil.copy(made / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def names() -> Iterator[NameServer]:
    with NameServer() as running:
        running.txt("trees.clinic", "v=spf1 ip4:93.184.216.34 -all")
        running.txt("_dmarc.trees.clinic", "v=DMARC1; p=reject; rua=mailto:r@trees.clinic")
        for domain in ("trees.clinic", "answers.clinic"):
            running.zone[(domain, "MX")] = ["10 mx.trees.clinic."]
        running.zone[("mx.trees.clinic", "A")] = ["93.184.216.34"]
        yield running


def asking(folder: Path, names: NameServer, **given: object) -> Settings:
    return settings_in(folder, dns=f"127.0.0.1:{names.port}", **given)


def of_senders(checks: tuple[Check, ...]) -> dict[str, Check]:
    return {check.name: check for check in checks if check.name.startswith("sender ")}


def examined(folder: Path, names: NameServer, clinic: str | None = None) -> dict[str, Check]:
    return of_senders(doctor(asking(folder, names), SetClock(INVITED), clinic=clinic))


def key_of(folder: Path, *, active: bool) -> KeyView:
    database, keys = open_installation(settings_in(folder), SetClock(START))
    view = signing.make_key(database, SetClock(START), keys, "elm", "one")
    if active:
        view = signing.activate(database, SetClock(START), keys, None, "elm")
    database.close()
    return view


def test_clinics_of_one_domain_are_examined_together(folder: Path, names: NameServer) -> None:
    checks = examined(folder, names)
    assert {name.partition(":")[0] for name in checks} == {
        "sender trees.clinic (elm, linden)",
        "sender north.example (north)",
    }
    assert checks["sender trees.clinic (elm, linden): SPF"].ok is True
    assert checks["sender trees.clinic (elm, linden): replies to answers.clinic"].ok is True
    assert names.asked.count(("trees.clinic", "TXT")) == 1


def test_one_clinic_alone_is_examined(folder: Path, names: NameServer) -> None:
    assert {name.partition(":")[0] for name in examined(folder, names, "linden")} == {"sender trees.clinic (linden)"}
    names.asked.clear()
    assert list(examined(folder, names, "north")) == ["sender north.example (north)"]
    assert names.asked == []


def test_only_the_clinic_under_examination_is_looked_at(folder: Path, names: NameServer) -> None:
    checks = doctor(asking(folder, names), SetClock(INVITED), clinic="north")
    assert [check.name for check in checks if "elm" in check.name or "linden" in check.name] == []


def test_a_clinic_that_is_not_there_is_no_clean_bill(folder: Path, names: NameServer) -> None:
    with pytest.raises(NoSuchClinic):
        examined(folder, names, "nowhere")


def test_a_resolver_that_is_down_is_something_to_look_at_not_something_missing(folder: Path) -> None:
    with NameServer() as gone:
        pass
    checks = examined(folder, gone)
    assert {check.ok for check in checks.values()} == {None}
    assert "the resolver does not answer" in checks["sender trees.clinic (elm, linden)"].said


def test_what_is_to_be_pasted_stands_with_the_check(folder: Path, names: NameServer) -> None:
    key = key_of(folder, active=True)
    check = examined(folder, names)["sender trees.clinic (elm, linden): DKIM key one"]
    assert (check.ok, check.paste) == (False, key.entry)
    names.txt(key.entry.name, key.entry.value)
    assert examined(folder, names)["sender trees.clinic (elm, linden): DKIM key one"].ok is True


@pytest.mark.parametrize(("active", "ok"), [(True, False), (False, None)])
def test_a_key_that_cannot_be_opened_is_said_with_the_way_out(
    folder: Path,
    names: NameServer,
    active: bool,  # noqa: FBT001
    ok: bool | None,  # noqa: FBT001
) -> None:
    key_of(folder, active=active)
    tamper(folder, "UPDATE dkim_keys SET sealed_key = x'00'")
    check = examined(folder, names)["sender trees.clinic (elm, linden): key one"]
    assert check.ok is ok
    assert "reminders sender retire --clinic elm --selector one" in check.advice


def test_the_test_mail_is_the_clinics_and_signed_as_its_mail_is(folder: Path, names: NameServer) -> None:
    key = key_of(folder, active=True)
    mailed = doctor(asking(folder, names), SetClock(INVITED), "me@clinic.test", clinic="linden")
    assert [check.ok for check in mailed if check.name == "test mail"] == [True]
    [message] = (folder / "out").glob("*.eml")
    content = message.read_bytes()
    records = {f"{key.entry.name}.".encode(): key.entry.value.encode()}
    assert b"linden@trees.clinic" in content
    assert verifier.verify(content, dnsfunc=lambda name, timeout=5: records.get(name))  # noqa: ARG005


def test_a_test_mail_is_not_sent_unsigned_where_mail_would_be_held(folder: Path, names: NameServer) -> None:
    key_of(folder, active=True)
    tamper(folder, "UPDATE dkim_keys SET sealed_key = x'00'")
    checks = doctor(asking(folder, names), SetClock(INVITED), "me@clinic.test", clinic="linden")
    assert [check.ok for check in checks if check.name == "test mail"] == [False]
    assert list((folder / "out").glob("*.eml")) == []


def test_a_name_server_that_fails_does_not_end_the_examination(folder: Path, names: NameServer) -> None:
    names.zone = dict.fromkeys(names.zone, Rude.SERVFAIL)
    checks = doctor(asking(folder, names), SetClock(INVITED))
    assert checks[-1].name == "templates"
    assert {check.ok for check in of_senders(checks).values()} == {None}
