"""Logos for the tests of this floor, drawn here."""

import io

from PIL import Image, ImageDraw

TEAL = (44, 110, 104, 255)
WHITE = (255, 255, 255, 255)
NOTHING = (0, 0, 0, 0)


def drawn(
    size: tuple[int, int] = (600, 180),
    ground: tuple[int, int, int, int] = NOTHING,
    ink: tuple[int, int, int, int] = TEAL,
) -> Image.Image:
    """Return a disc and three bars, as many clinics have them."""
    image = Image.new("RGBA", size, ground)
    pen, (width, height) = ImageDraw.Draw(image), size
    pen.ellipse((4, 4, height - 5, height - 5), fill=ink)
    for line in range(3):
        top = height * (line * 3 + 1) // 9
        pen.rectangle((height + 10, top, width - 5 - line * width // 8, top + height // 6), fill=ink)
    return image


def filed(image: Image.Image, form: str = "PNG", **how: object) -> bytes:
    """Return an image as the bytes of a file."""
    out = io.BytesIO()
    image.save(out, form, **how)
    return out.getvalue()
