"""A clinic's logo and colour: kept, shown in its messages alone, taken away, and refused without a trace."""

from pathlib import Path

import pytest

from reminders.mail.compose import parts
from reminders.mail.folder import FolderTransport
from reminders.mail.logo import LogoRefused
from reminders.mail.palette import BadColour
from reminders.services.find import the_clinic
from reminders.services.logo import NoLogoFile
from reminders.store import audit_trail
from reminders.store.logos import logo_of
from tests.mail.pictures import TEAL, WHITE, drawn, filed
from tests.support.clinic import INVITED_AT, Office


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "riverside.png"
    path.write_bytes(filed(drawn(ink=TEAL)))
    return str(path)


def sent(office: Office, folder: Path) -> bytes:
    office.clock.set(INVITED_AT)
    assert office.deliver(FolderTransport(folder)).sent == 1
    [letter] = folder.rglob("*.eml")
    return letter.read_bytes()


def test_a_clinics_messages_carry_its_logo_and_its_colour(office: Office, picture: str, tmp_path: Path) -> None:
    office.change_clinic(logo=picture, colour="#8A1C4A")
    content = sent(office, tmp_path / "out")
    assert b"Content-Type: image/png" in content
    assert "#8a1c4a" in parts(content).html


def test_another_clinics_messages_do_not(office: Office, picture: str, tmp_path: Path) -> None:
    office.add_clinic("seaside", logo=picture, colour="8a1c4a")
    content = sent(office, tmp_path / "out")
    assert b"image/png" not in content
    assert "#8a1c4a" not in parts(content).html


def test_a_logo_is_replaced_and_taken_away(office: Office, picture: str, tmp_path: Path) -> None:
    office.change_clinic(logo=picture)
    first = _stored(office)
    Path(picture).write_bytes(filed(drawn(ink=WHITE)))
    office.change_clinic(logo=picture)
    assert None not in {first, _stored(office)}
    assert first != _stored(office)
    office.change_clinic(logo="")
    assert _stored(office) is None
    assert b"image/" not in sent(office, tmp_path / "out")


def test_the_trail_says_that_the_logo_changed_and_not_what_it_shows(office: Office, picture: str) -> None:
    office.change_clinic(logo=picture)
    office.change_clinic(logo=picture)  # the same again is no change
    with office.read() as tx:
        details = [entry.details for entry in audit_trail.entries(tx, subject="clinic") if entry.action == "change"]
    assert details == [{"fields": ["logo"]}]


def test_a_refused_logo_leaves_the_one_there_is_and_every_other_setting(office: Office, picture: str) -> None:
    office.change_clinic(logo=picture)
    before = _stored(office)
    Path(picture).write_bytes(b"<svg/>")
    with pytest.raises(LogoRefused, match="SVG"):
        office.change_clinic(logo=picture, phone="020 7946 9999")
    with pytest.raises(NoLogoFile, match="No such file"):
        office.change_clinic(logo=picture + ".gone", phone="020 7946 9999")
    with pytest.raises(NoLogoFile, match="Is a directory"):
        office.change_clinic(logo=str(Path(picture).parent))
    with office.read() as tx:
        assert the_clinic(tx, "riverside").phone == "+44 20 7946 0000"
    assert _stored(office) == before


def test_a_colour_is_kept_as_six_digits_and_an_empty_one_takes_it_away(office: Office) -> None:
    for typed, kept in (("#ABC", "#aabbcc"), ("2c6e68", "#2c6e68"), ("", None)):
        office.change_clinic(colour=typed)
        with office.read() as tx:
            assert the_clinic(tx, "riverside").colour == kept
    with pytest.raises(BadColour):
        office.change_clinic(colour="red;}body{display:none")


def _stored(office: Office) -> str | None:
    with office.read() as tx:
        found = logo_of(tx, the_clinic(tx, "riverside").id)
    return found.digest if found else None
