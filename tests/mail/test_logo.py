"""Logos that clinics hand in: what becomes of them, and what is refused."""

import io
import struct
import zlib

import pytest
from PIL import Image
from PIL.ExifTags import Base
from PIL.PngImagePlugin import PngInfo

from reminders.mail.logo import LARGEST_LOGO, LogoRefused, prepare_logo
from reminders.mail.message import Logo
from reminders.mail.palette import palette
from tests.mail.pictures import NOTHING, TEAL, WHITE, drawn, filed


def shown(logo: Logo) -> Image.Image:
    image = Image.open(io.BytesIO(logo.content))
    image.load()
    return image


def a_dot(logo: Logo, at: tuple[int, int]) -> str:
    red, green, blue = shown(logo).convert("RGB").getpixel(at)  # type: ignore[misc]
    return f"#{red:02x}{green:02x}{blue:02x}"


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_picture_of_every_usual_kind_becomes_a_small_logo(form: str) -> None:
    image = drawn((2400, 720), WHITE).convert("RGB" if form == "JPEG" else "RGBA")
    logo = prepare_logo(filed(image, form))
    assert (logo.width, logo.height) == shown(logo).size == (480, 144)
    assert len(logo.content) <= LARGEST_LOGO
    assert logo.media_type == "image/png"


def test_the_same_file_makes_the_same_logo() -> None:
    assert prepare_logo(filed(drawn())) == prepare_logo(filed(drawn()))


def test_a_small_picture_is_not_blown_up() -> None:
    logo = prepare_logo(filed(drawn((200, 60), WHITE)))
    assert (logo.width, logo.height) == (200, 60)


def test_a_see_through_logo_stands_on_a_light_plate() -> None:
    logo = prepare_logo(filed(drawn(ink=TEAL)))
    assert "A" not in shown(logo).getbands()
    assert a_dot(logo, (0, 0)) == palette(None).plate
    assert (logo.width, logo.height) <= (480, 144)


def test_a_pale_see_through_logo_stands_on_a_dark_plate() -> None:
    assert a_dot(prepare_logo(filed(drawn(ink=WHITE))), (0, 0)) == palette(None).dark_card


def test_an_opaque_logo_gets_no_plate() -> None:
    assert a_dot(prepare_logo(filed(drawn(ground=(10, 20, 30, 255)))), (1, 1)) == "#0a141e"


def test_a_see_through_rim_is_cut_away() -> None:
    wide = Image.new("RGBA", (2000, 2000), NOTHING)
    wide.paste(drawn((400, 120)), (800, 900))
    assert prepare_logo(filed(wide)).width > 300


def test_a_rich_picture_is_kept_as_a_photograph() -> None:
    noise = Image.effect_noise((480, 144), 90).convert("RGB")
    logo = prepare_logo(filed(noise))
    assert logo.media_type == "image/jpeg"
    assert len(logo.content) <= LARGEST_LOGO


def test_nothing_that_the_file_also_held_travels_on() -> None:
    exif = Image.Exif()
    exif[Base.Artist.value] = "Secret Person"
    text = PngInfo()
    text.add_text("Comment", "Secret Place")
    picture = drawn(ground=WHITE)
    for content in (
        filed(picture, exif=exif, pnginfo=text, icc_profile=b"Secret" * 20),
        filed(picture.convert("RGB"), "JPEG", exif=exif, comment=b"Secret"),
        filed(picture, "WEBP", exif=exif, xmp=b"Secret"),
    ):
        assert b"Secret" in content
        logo = prepare_logo(content)
        assert b"Secret" not in logo.content
        assert not {"icc_profile", "exif", "xmp", "comment", "Comment"} & set(
            shown(logo).info
        )  # some stand there packed


def test_a_photograph_taken_sideways_stands_upright() -> None:
    exif = Image.Exif()
    exif[Base.Orientation.value] = 6
    logo = prepare_logo(filed(drawn((300, 90), WHITE).convert("RGB").rotate(90, expand=True), "JPEG", exif=exif))
    assert logo.width > logo.height


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (100, 50), colour) for colour in ("#ff0000", "#00ff00")]
    logo = prepare_logo(filed(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert a_dot(logo, (50, 25)) == "#ff0000"
    assert getattr(shown(logo), "n_frames", 1) == 1


def bomb(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes that says it is huge."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "cannot be read as a picture"),
        (b"no picture", "cannot be read as a picture"),
        (filed(drawn())[:400], "cannot be read as a picture"),
        (filed(drawn(), "TIFF"), "cannot be read as a picture"),
        (filed(drawn(), "ICO"), "cannot be read as a picture"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG drawing"),
        (b'\xef\xbb\xbf\n<?xml version="1.0"?><!-- x --><SVG onload="x()"/>', "SVG drawing"),
        (b"<html><script>1</script>", "cannot be read as a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "cannot be read as a picture"),
        (b"x" * (2 * 1024 * 1024 + 1), "over 2 MB"),
        (bomb(6_000, 6_000), "more than 25 million dots"),
        (bomb(60_000, 60_000), "more than 25 million dots"),
        (bomb(400, 400), "cannot be read as a picture"),
        (filed(Image.new("RGBA", (100, 100), NOTHING)), "all of it is see-through"),
        (filed(Image.new("RGB", (8, 8))), "too small"),
        (filed(Image.new("RGB", (4000, 20))), "too small, or so long and narrow"),
    ],
    ids=range(16),
)
def test_what_is_no_logo_is_refused_with_a_sentence(content: bytes, problem: str) -> None:
    with pytest.raises(LogoRefused, match=problem) as caught:
        prepare_logo(content)
    assert str(caught.value).startswith("--logo: ")
