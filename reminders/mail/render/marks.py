"""Looks at the tags of a template as they are written, before the engine's parser sees any of them.

Invariant: an allow-list of marks that bounds what the parser is given; every tag is looked at, so that whoever wrote
them is told of all at once.
"""

import itertools

from jinja2 import Environment

DEEPEST = 10
MOST_TAGS = 1_000
MOST_CHOICES = 40
MOST_MARKS = 40
LONGEST_QUOTE = 200
_OPERATORS = frozenset({"==", "!=", "|", "(", ")"})
_BLOCKS = ("if", "elif", "else", "endif")

Lexed = tuple[int, str, str]


class Refused(Exception):
    """What cannot stand in a tag, by the line of its part."""

    def __init__(self, line: int, what: str) -> None:
        """Keep the line and the clause."""
        self.line, self.what = line, what
        super().__init__(what)


def look_at_marks(environment: Environment, source: str, found: list[Refused]) -> None:
    """Find anything in a tag that is no name, quoted text or sign of the list, before the parser sees it.

    What is too much of anything is raised, since whatever follows would be too; all else is added to `found`.
    """
    opened: list[int] = []
    tags = choices = 0
    tag: list[Lexed] = []
    for line, kind, value in environment.lex(source):
        if kind in {"block_begin", "variable_begin"}:
            tags += 1
            if tags > MOST_TAGS:
                raise Refused(line, f"it has over {MOST_TAGS} tags")
            tag = [(line, kind, value)]
        elif kind.startswith(("comment", "raw")):
            raise Refused(line, "comments ({# #}) and raw blocks cannot be used in a template")
        elif kind == "data":
            _look_at_words(line, value, found)
        else:
            tag.append((line, kind, value))
        if kind in {"block_end", "variable_end"}:
            word = _look_at_tag(tag, found)
            choices += word in {"if", "elif"}
            _keep_open(word, tag[0][0], opened, found)
            if choices > MOST_CHOICES:
                raise Refused(tag[0][0], f"it has over {MOST_CHOICES} ifs")
            if len(opened) > DEEPEST:
                raise Refused(tag[0][0], f"the ifs stand more than {DEEPEST} deep in one another")
            tag = []
    if tag:
        raise Refused(tag[0][0], "a tag begins here and is not closed: {{ name }} or {% if name %}")
    found += [Refused(line, "this {% if %} is not closed: {% endif %} is missing") for line in opened]


def _keep_open(word: str, line: int, opened: list[int], found: list[Refused]) -> None:
    """Keep the lines of the ifs that are open here up to date."""
    if word == "if":
        opened.append(line)
    elif word and not opened:
        found.append(Refused(line, f"{{% {word} %}} stands there without its {{% if %}}"))
    elif word == "endif":
        opened.pop()


def _look_at_words(line: int, words: str, refused: list[Refused]) -> None:
    for mark in ("}}", "%}", "#}"):
        before, found, _ = words.partition(mark)
        if found:
            refused.append(Refused(line + before.count("\n"), f"{mark} stands there without its beginning"))


def _look_at_tag(tag: list[Lexed], found: list[Refused]) -> str:
    """Look at one whole tag; return its word (`if`, `elif`, `else`, `endif`), or nothing for a value."""
    marks = [mark for mark in tag[1:-1] if mark[1] != "whitespace"]
    try:
        _look_at_form(tag, marks)
    except Refused as refused:
        found.append(refused)
    known = tag[0][1] == "block_begin" and marks and marks[0][2] in _BLOCKS
    return marks[0][2] if known else ""


def _look_at_form(tag: list[Lexed], marks: list[Lexed]) -> None:
    line, begins, opening = tag[0]
    if opening not in {"{{", "{%"} or tag[-1][2] not in {"}}", "%}"}:
        raise Refused(line, "write the tag without a dash or a plus: {{ name }} or {% if name %}")
    if len(marks) > MOST_MARKS:
        raise Refused(line, "the tag is too long")
    if begins == "block_begin" and (not marks or marks[0][1] != "name" or marks[0][2] not in _BLOCKS):
        raise Refused(line, "only {% if %}, {% elif %}, {% else %} and {% endif %} can stand here")
    for at, kind, value in marks:
        _look_at_mark(at, kind, value)
    for one, following in itertools.pairwise(marks):
        if one[1] == following[1] == "string":
            raise Refused(following[0], "two texts in quotes stand side by side: write one")


def _look_at_mark(line: int, kind: str, value: str) -> None:
    if kind == "operator" and value not in _OPERATORS:
        raise Refused(line, f'"{value}" cannot be used in a tag: a value is shown, or compared with == or !=')
    if kind in {"integer", "float"}:
        raise Refused(line, "numbers cannot be used in a tag: every value is text, in quotes")
    if kind == "string" and (len(value) > LONGEST_QUOTE or set(value) & set("\\{}\n")):
        raise Refused(line, f"a text in quotes has at most {LONGEST_QUOTE} letters, and no \\, {{ or }}")
    if kind not in {"operator", "name", "string", "integer", "float"}:
        raise Refused(line, "this cannot be used in a tag")
