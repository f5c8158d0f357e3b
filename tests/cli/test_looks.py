"""A clinic's colour and logo, as they are typed."""

from pathlib import Path

from tests.cli.desk import CLINIC, OF, Desk
from tests.mail.pictures import drawn, filed


def test_a_clinic_gets_its_colour_and_logo_and_a_preview_shows_them(desk: Desk, tmp_path: Path) -> None:
    logo = tmp_path / "north.png"
    logo.write_bytes(filed(drawn()))
    assert desk.json("clinic", "set", "north", "--colour", "#8A1C4A", "--logo", str(logo))["colour"] == "#8a1c4a"
    desk.run("preview", *OF, "--out", str(tmp_path / "mail"))
    assert "data:image/png;base64," in (tmp_path / "mail" / "message.html").read_text()
    assert b"Content-Type: image/png" in (tmp_path / "mail" / "message.eml").read_bytes()
    desk.run("clinic", "set", "north", "--no-logo")
    desk.run("preview", *OF, "--out", str(tmp_path / "mail"))
    assert "data:" not in (tmp_path / "mail" / "message.html").read_text()


def test_a_clinic_may_be_enrolled_with_them(desk: Desk, tmp_path: Path) -> None:
    logo = tmp_path / "north.webp"
    logo.write_bytes(filed(drawn(), "WEBP"))
    added = [word.replace("north", "south") for word in CLINIC]
    assert desk.json(*added, "--colour", "2c6e68", "--logo", str(logo))["colour"] == "#2c6e68"


def test_what_is_no_colour_and_no_logo_is_refused_in_one_sentence(desk: Desk, tmp_path: Path) -> None:
    drawing = tmp_path / "north.svg"
    drawing.write_text("<svg/>")
    assert "such as #2c6e68" in desk.fails(3, "clinic", "set", "north", "--colour", "teal")
    assert "SVG" in desk.fails(3, "clinic", "set", "north", "--phone", "1", "--logo", str(drawing))
    assert "cannot be opened" in desk.fails(3, "clinic", "set", "north", "--logo", str(tmp_path / "gone.png"))
    assert "cannot both" in desk.fails(2, "clinic", "set", "north", "--logo", str(drawing), "--no-logo")
