"""Reads letters as an eye reads them: look-alikes of other scripts, accents, hidden characters, signs for letters.

Invariant: what looks like a Latin letter becomes that letter, what cannot be seen disappears, and small ASCII letters
stay as they are. The shapes are those that the Unicode charts show alike; the rest follows from the characters' names.
"""

# ruff: noqa: RUF001 - look-alikes are what this module is about

import functools
import re
import unicodedata
from collections.abc import Iterator

_SHAPES = {
    "a": "αΑаАӕꭺᎪꓮᗅɑ⍺",
    "b": "βΒвВьЬбБᏏꮟᏴᏸꓐᗷᛒƄƅ♭",
    "c": "сСϲϹꮯᏟꓚⲥⲤᑕ",
    "d": "ԁԀδꭰᎠꓓᗞð",
    "e": "еЕεΕєЄэЭзЗꭼᎬꓰ℮",
    "f": "ϝϜꓝ",
    "g": "ԍԌᏀꓖց",
    "h": "нНΗһҺћЋђꮋᎻꓧհ",
    "i": "ιΙіІӏӀꭵᎥᏆꓲⲓ",
    "j": "јЈϳյᎫꓙ",
    "k": "κΚкКқҚꮶᏦꓗⲕ",
    "l": "ᏞꓡᒪԼ",
    "m": "мМΜᎷꓟⲙ",
    "n": "ηΝпПոռꓠŋ",
    "o": "ʘοΟоОσΣθΘօՕꮎᎾᏫꓳⲟⲞჿ〇",
    "p": "ρΡрРᏢꓑⲣ",
    "q": "ԛԚզ",
    "r": "гГяЯꭱᎡꓣⲅ",
    "s": "ςѕЅꮪᏚꓢՏ",
    "t": "τΤтТꭲᎢꓔⲧⲦፐ",
    "u": "υμսꓴиИцЦ",
    "v": "νѵѴᏙꓦ",
    "w": "ωԝԜѡшШщЩաᎳꓪ",
    "x": "χΧхХꓫⲭⲬᚷ乂",
    "y": "уУΥγүҮᎩᎽꓬ",
    "z": "ΖζᏃꓜ",
    "ae": "æÆ",
    "oe": "œŒ",
    "th": "þÞ",
    "ss": "ßẞ",
    # one letter each, however a keyboard or a language writes it
    "ي": "ىیې",
    "ه": "ةہھە",
    "ك": "کگڪ",
    "ف": "ڤڥ",
    "ب": "پ",
    "ج": "چ",
    "ز": "ژ",
    "ا": "ٱ",
    "%": "٪",
    " syringe ": "💉",
}
_UNSEEN = frozenset(
    "\u0640\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
)  # blanks that are letters, and the Arabic stretch
_UNSEEN_KINDS = frozenset({"Mn", "Me", "Cf"})
_NAMED_LETTER = re.compile(
    r"(?:.* )?(?:LATIN|REGIONAL INDICATOR SYMBOL) (?:.* )?LETTER (?:[A-Z]+ )*([A-Z])(?: WITH .+)?"
)

_SIGNS = (
    dict(zip("0123456789@$!|€£¥¢§+", "oizeasbtbgasiielycst", strict=True))
    | dict.fromkeys("○◯●◉◎⚪⚫⭕⊙⊚∅⌀", "o")
    | dict.fromkeys("×✕✖✗✘❌╳☓⨯", "x")
    | dict.fromkeys("†✝✚➕", "t")
    | dict.fromkeys("∆Λ∀", "a")
)
_DRAWN = (  # letters drawn with several signs, the longest first
    *(("\\/\\/", "w"), ("|_|", "u"), ("()", "o"), ("[]", "o"), ("{}", "o"), ("<>", "o"), ("\\/", "v"), ("/\\", "a")),
    *(("|3", "b"), ("|)", "d"), ("|<", "k"), ("><", "x"), (")(", "x"), ("}{", "x"), ("ß", "b")),
)
_AS_LETTERS = str.maketrans(_SIGNS)
_SIGN = "[" + re.escape("".join(_SIGNS) + "()[]{}<>\\/ß") + "]"
_STANDS_IN = re.compile(rf"[^\W\d_]{_SIGN}|{_SIGN}[^\W\d_]")
_LONG = 200
_ALIKE = str.maketrans({"l": "i"})


class _Table:
    """What `str.translate` asks for one character at a time."""

    def __getitem__(self, code: int) -> str:
        return _letter(chr(code))


def folded(text: str) -> str:
    """Return text in small letters without accents, look-alikes or anything hidden; line ends and blanks stay."""
    if text.isascii():
        return text.lower()
    if len(text) > _LONG:  # putting marks in order takes the square of their number
        text = text.translate(_Table())
    return unicodedata.normalize("NFKD", text).translate(_Table()).casefold()


def with_signs_as_letters(text: str) -> str | None:
    """Return a word, folded, with digits and signs read as letters (b0t0x); None where no sign touches a letter."""
    if _STANDS_IN.search(text) is None:
        return None
    for drawn, letter in _DRAWN:
        text = text.replace(drawn, letter)
    return folded(text.translate(_AS_LETTERS)).translate(_AS_LETTERS)


@functools.lru_cache(maxsize=8192)
def shape(word: str) -> str:
    """Return what a folded word looks like at a glance: `vv` is w, `rn` m, `cl` d, and i is l."""
    return word.replace("cl", "d").replace("rn", "m").replace("vv", "w").translate(_ALIKE)


def single(word: str) -> str:
    """Return a word with every repeated letter written once."""
    return "".join(letter for letter, _ in runs(word))


def runs(word: str) -> Iterator[tuple[str, int]]:
    """Yield the letters of a word with how often each is repeated in a row."""
    last, count = "", 0
    for letter in word:
        if letter == last:
            count += 1
            continue
        if last:
            yield last, count
        last, count = letter, 1
    if last:
        yield last, count


@functools.cache
def _shapes() -> dict[str, str]:
    return {shape: letter for letter, shapes in _SHAPES.items() for shape in shapes}


@functools.lru_cache(maxsize=4096)
def _letter(character: str) -> str:
    """Return what one character stands for; itself where it looks like nothing else."""
    if character.isascii():
        return character
    if found := _shapes().get(character):
        return found
    small = character.casefold()
    if len(small) == 1 and small != character:
        return _letter(small)
    kind = unicodedata.category(character)
    if kind in _UNSEEN_KINDS or character in _UNSEEN:
        return ""
    if kind == "Nd":
        return str(unicodedata.digit(character))
    name = unicodedata.name(character, "")
    if named := _NAMED_LETTER.fullmatch(name):
        return named[1].lower()
    return _without_addition(character, name)


def _without_addition(character: str, name: str) -> str:
    """Return what the letter under a stroke, a hook or a tail stands for: KA WITH HOOK is KA."""
    plain, _, addition = name.partition(" WITH ")
    if not (addition and " LETTER " in plain):
        return character
    try:
        return folded(unicodedata.lookup(plain))
    except KeyError:  # some letters exist with their addition only
        return character
