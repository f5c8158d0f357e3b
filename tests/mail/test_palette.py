"""The colours worked out from a clinic's own: whatever was chosen, words can be read, in light and in dark."""

import colorsys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.mail.palette import READABLE, USUAL, BadColour, Palette, contrast, palette, web_colour

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def pairs(look: Palette) -> dict[str, tuple[str, str]]:
    """Return what stands on what in mails and pages, in light and in dark."""
    grounds = ("page", "card", "panel")
    light = {
        f"{words} on {ground}": (words, ground) for words in ("text", "quiet", "accent_text") for ground in grounds
    }
    dark = {f"dark {name}": (f"dark_{words}", f"dark_{ground}") for name, (words, ground) in light.items()}
    buttons = {"button": ("on_accent", "accent"), "dark button": ("dark_on_accent", "dark_accent")}
    named = light | dark | buttons
    return {name: (getattr(look, words), getattr(look, ground)) for name, (words, ground) in named.items()}


@given(colour=colours)
def test_words_can_be_read_whatever_colour_a_clinic_chose(colour: str) -> None:
    weak = {
        name: round(contrast(*pair), 2) for name, pair in pairs(palette(colour)).items() if contrast(*pair) < READABLE
    }
    assert weak == {}


@given(colour=colours)
def test_no_surface_is_pure_white_or_black(colour: str) -> None:
    look = palette(colour)
    assert not {look.page, look.card, look.panel, look.dark_page, look.dark_card, look.dark_panel} & {
        "#ffffff",
        "#000000",
    }


@pytest.mark.parametrize("colour", [USUAL, "#1b4d8c", "#8a1c4a", "#d8a200", "#444444", "#7a3fb0"])
def test_words_can_be_read_where_a_program_turns_light_into_dark_by_force(colour: str) -> None:
    weak = {
        name: round(contrast(*map(turned, pair)), 2)
        for name, pair in pairs(palette(colour)).items()
        if not name.startswith("dark") and contrast(*map(turned, pair)) < READABLE - 1
    }
    assert weak == {}


def turned(colour: str) -> str:
    """Return the colour with its lightness turned over and its hue kept, as programs without a dark design do it."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)))
    return "#" + "".join(f"{round(part * 255):02x}" for part in colorsys.hls_to_rgb(hue, 1 - lightness, saturation))


def test_a_colour_that_can_be_read_stays_as_it_was_chosen() -> None:
    assert palette("#2c6e68").accent == "#2c6e68"
    assert palette(None) == palette(USUAL)


def test_a_colour_too_light_for_words_keeps_its_hue() -> None:
    accent = palette("#ffd400").accent
    red, green, blue = (int(accent[at : at + 2], 16) for at in (1, 3, 5))
    assert red > green > blue == 0
    assert palette("#ffd400").dark_accent == "#ffd400"


@pytest.mark.parametrize(
    ("written", "colour"), [("#2C6E68", "#2c6e68"), ("2c6e68", "#2c6e68"), (" #abc ", "#aabbcc"), ("ABC", "#aabbcc")]
)
def test_a_colour_may_be_written_as_people_write_it(written: str, colour: str) -> None:
    assert web_colour(written) == colour


@pytest.mark.parametrize(
    "written", ["", "#", "teal", "#12345", "#1234567", "#2c6e6g", "red;}", "#2c6e68\n#fff", "#٢٢٢"]
)
def test_what_is_no_colour_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(BadColour, match=r"such as #2c6e68"):
        web_colour(written)


@pytest.mark.parametrize(
    ("one", "other", "ratio"), [("#000000", "#ffffff", 21), ("#777777", "#ffffff", 4.48), ("#abc", "#abc", 1)]
)
def test_contrast_is_worked_out_as_the_guidelines_say(one: str, other: str, ratio: float) -> None:
    assert contrast(web_colour(one), web_colour(other)) == pytest.approx(ratio, abs=0.005)
