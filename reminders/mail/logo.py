"""Makes a picture that a clinic hands in into the small logo that travels with its messages.

Invariant: what comes out was drawn anew from its dots, so nothing the file also held (places, cameras, comments, later
frames, code) travels on; it stands on a ground of its own and can be seen in light and in dark.
"""

import dataclasses
import hashlib
import io
import warnings
from typing import TYPE_CHECKING

from reminders.errors import BadInput
from reminders.mail.message import Logo
from reminders.mail.palette import palette

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST_FILE = 2 * 1024 * 1024  # bytes of what is handed in
LARGEST_LOGO = 40 * 1024  # bytes of what travels with every message
MOST_DOTS = 25_000_000
WIDEST, HIGHEST = 480, 144  # pixels; shown at half of that
_TOO_MANY = "the picture has more than 25 million dots"
_LEAST = 16  # pixels: below it nobody reads a logo
_ROOM = 16  # pixels around a see-through logo, to the edge of its plate
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_COLOURS = 256
_QUALITIES = (90, 80, 70, 55, 40)
_PALE = 0.72  # mean lightness from which a see-through logo was drawn for dark grounds
_SEEN = 24  # of 255: dots fainter than that are nothing


class LogoRefused(BadInput):
    """--logo: {problem}. Give a PNG, JPEG, GIF or WebP picture of at most 2 MB."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Written:
    media_type: str
    content: bytes


def prepare_logo(content: bytes) -> Logo:
    """Return a picture file as a logo of at most 480 by 144 pixels and 40 KB; raises `LogoRefused`.

    An animation gives its first frame. See-through pictures get a plate: light, or dark where the picture is pale.
    """
    if len(content) > LARGEST_FILE:
        raise LogoRefused(problem="the file is over 2 MB")
    if _looks_like_svg(content):
        raise LogoRefused(problem="this is an SVG drawing, which mail programs do not show; save it as a PNG")
    image = _scaled(_cropped(_opened(content)))
    image = _on_plate(image) if "A" in image.getbands() else image
    written = _written(image)
    digest = hashlib.sha256(written.content).hexdigest()
    return Logo(digest, written.media_type, image.width, image.height, written.content)


def _looks_like_svg(content: bytes) -> bool:
    begin = content[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return begin.startswith(b"<") and b"<svg" in begin


def _opened(content: bytes) -> "Image":
    """Return the first frame, the right way up, as RGB or RGBA; a picture too large to hold is never decoded."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - a large library that only a new logo needs

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # bounds of our own are asked before anything is decoded
        try:
            image = Image.open(io.BytesIO(content), formats=_FORMATS)
            _ensure_small(image.width * image.height)
            image.load()
            upright = ImageOps.exif_transpose(image)
        except LogoRefused:
            raise
        except Image.DecompressionBombError as error:
            raise LogoRefused(problem=_TOO_MANY) from error
        except Exception as error:  # a broken file makes decoders raise whatever they like
            raise LogoRefused(problem="the file cannot be read as a picture") from error
    see_through = upright.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in upright.info
    return upright.convert("RGBA" if see_through else "RGB")


def _ensure_small(dots: int) -> None:
    if dots > MOST_DOTS:
        raise LogoRefused(problem=_TOO_MANY)


def _cropped(image: "Image") -> "Image":
    """Return the picture without a see-through rim; one that is fully opaque stays and loses its empty fourth band."""
    if "A" not in image.getbands():
        return image
    faintest, _ = image.getchannel("A").getextrema()
    if faintest == 255:  # noqa: PLR2004 - a byte's largest value
        return image.convert("RGB")
    box = image.getchannel("A").point(lambda dot: 255 if dot > _SEEN else 0).getbbox()
    if box is None:
        raise LogoRefused(problem="the picture is empty: all of it is see-through")
    return image.crop(box)


def _scaled(image: "Image") -> "Image":
    """Return the picture at the size of a logo, plate included; one that is smaller is not blown up."""
    from PIL.Image import Resampling  # noqa: PLC0415 - as above

    room = 2 * _ROOM if "A" in image.getbands() else 0
    factor = min(1.0, (WIDEST - room) / image.width, (HIGHEST - room) / image.height)
    width, height = round(image.width * factor), round(image.height * factor)
    if min(width, height) < _LEAST:
        raise LogoRefused(problem="the picture is too small, or so long and narrow that nobody could read it")
    return image if factor == 1 else image.resize((width, height), Resampling.LANCZOS, reducing_gap=3)


def _on_plate(image: "Image") -> "Image":
    from PIL import Image  # noqa: PLC0415 - as above

    look = palette(None)
    ground = look.dark_card if _is_pale(image) else look.plate
    plate = Image.new("RGB", (image.width + 2 * _ROOM, image.height + 2 * _ROOM), ground)
    plate.paste(image, (_ROOM, _ROOM), image.getchannel("A"))
    return plate


def _is_pale(image: "Image") -> bool:
    from PIL import ImageStat  # noqa: PLC0415 - as above

    seen = image.getchannel("A").point(lambda dot: 255 if dot > _SEEN else 0)
    return bool(ImageStat.Stat(image.convert("RGB").convert("L"), seen).mean[0] / 255 >= _PALE)


def _written(image: "Image") -> _Written:
    """Return the smaller of a drawing's form and a photograph's; a picture too rich for both is refused."""
    few = image.getcolors(_COLOURS)
    drawing = _Written("image/png", _saved(image.quantize(_COLOURS) if few is None else image, "PNG", optimize=True))
    if len(drawing.content) <= LARGEST_LOGO:
        return drawing
    for quality in _QUALITIES:
        photograph = _saved(image, "JPEG", quality=quality, optimize=True, progressive=True)
        if len(photograph) <= LARGEST_LOGO:
            return _Written("image/jpeg", photograph)
    raise LogoRefused(problem="the picture is too rich to travel with a message")


def _saved(image: "Image", form: str, **how: int | bool) -> bytes:
    """Return the dots alone in that form: `info` is dropped, in which an encoder would find what the file held."""
    bare, out = image.copy(), io.BytesIO()
    bare.info = {}
    bare.save(out, form, **how)
    return out.getvalue()
