"""What no file of the project may name: a package registry's host, a folder of somebody's machine.

Each pattern holds a letter in brackets, so that this file does not name what it forbids.
"""

import re

import pytest

from tests.architecture.checkout import files, read

FORBIDDEN = {
    "a package registry": r"pypi[.]org|[p]ythonhosted|registry[.](npmjs|yarnpkg)|[c]rates\.io|[r]ubygems\.org",
    "a folder of one machine": r"(?<![\w.])/([w]ork|[r]oot)(/|\s|$)",
    "somebody's home": r"(?<![\w.])/([h]ome|[U]sers)/\w",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    named = [
        f"{path}:{number}: {line.strip()[:120]}"
        for path in files()
        for number, line in enumerate(read(path).splitlines(), start=1)
        if pattern.search(line)
    ]
    assert named == []
