"""Behind every link that is unknown, old, erased or malformed lies one page; nothing is learnt from it."""

import datetime as dt
import random
import string

import pytest

from tests.support.clinic import INVITED_AT, Office
from tests.support.site import Letter, Reply, Site, rows

ONE_CLICK = "List-Unsubscribe=One-Click"
LETTERS = string.ascii_letters + string.digits + "-_"
MALFORMED = (
    *("/p", "/p/", "/u", "/u/", "/p//", "/p/a/b", "/u/../p/a", "/p/../healthz", "/p/.", "/p/\x00", "/u/a\x00b"),
    *("/p/" + "a" * 10_000, "/u/" + "é" * 300, "/p/ ", "/p/%00", "/p/\u202e", "/p/\udc80", "/p/'--", "/p/{token}"),
    *("//p/x", "/p/x/", "/p//x", "///u/x", "//", "p/x", "*", "http://a.example/p/x", "/p/x//", "/./p/x", "/p/a/b/c"),
    *("/u/<script>", "/p/a;b=c", "/p/a\r\nSet-Cookie: x=1", "/p/C:\\x", "/u/0", "/p/None"),
)


def seen(reply: Reply) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    return reply.status, reply.headers, reply.body


@pytest.fixture
def unknown(site: Site) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    """What an unknown token is answered."""
    found = site.ask("GET", "/p/" + "x" * 43)
    assert found.status == 404
    assert b"There is nothing behind this link" in found.body
    return seen(found)


@pytest.mark.parametrize("path", MALFORMED)
def test_a_malformed_link_leads_to_the_neutral_page(
    site: Site, unknown: tuple[int, tuple[tuple[str, str], ...], bytes], path: str
) -> None:
    assert seen(site.ask("GET", path)) == unknown
    assert site.ask("HEAD", path).status == 404


def test_an_old_link_is_an_unknown_one(
    site: Site, office: Office, letter: Letter, unknown: tuple[int, tuple[tuple[str, str], ...], bytes]
) -> None:
    assert site.ask("GET", f"/p/{letter.request}").status == 200
    office.clock.set(INVITED_AT + dt.timedelta(days=61))
    assert seen(site.ask("GET", f"/p/{letter.request}")) == unknown
    assert seen(site.post(f"/p/{letter.request}", "kind=stopped")) == unknown
    office.clock.set(INVITED_AT + dt.timedelta(days=720))
    assert site.ask("GET", f"/u/{letter.stop}").status == 200


def test_an_erased_patients_links_are_unknown_ones(
    site: Site, office: Office, letter: Letter, unknown: tuple[int, tuple[tuple[str, str], ...], bytes]
) -> None:
    office.erase()
    assert seen(site.ask("GET", f"/p/{letter.request}")) == unknown
    assert seen(site.ask("GET", f"/u/{letter.stop}")) == unknown
    assert seen(site.post(f"/p/{letter.request}", "kind=stopped")) == unknown
    clicked = site.post(f"/u/{letter.stop}", ONE_CLICK)
    assert clicked.status == 200
    assert clicked.body == unknown[2]


@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.storm)])
def test_whoever_guesses_or_tampers_with_tokens_learns_nothing(
    site: Site, office: Office, letter: Letter, count: int
) -> None:
    before, chance = rows(office), random.Random(8058)
    found = {
        "GET": set[tuple[int, bytes]](),
        "answer": set[tuple[int, bytes]](),
        "click": set[tuple[int, bytes]](),
    }
    for number in range(count):
        room, token = ("p", letter.request) if number % 2 else ("u", letter.stop)
        path = f"/{room}/{_tampered(token, chance) if number % 3 else _random(chance)}"
        look = site.ask("GET", path)
        found["GET"].add((look.status, look.body))
        if number % 10 == 0:
            click = site.post(path.replace("/p/", "/u/"), ONE_CLICK)
            answer = site.post(path.replace("/u/", "/p/"), "kind=wrong_person")
            found["click"].add((click.status, click.body))
            found["answer"].add((answer.status, answer.body))
    assert rows(office) == before
    [(status, page)] = found["GET"]
    assert status == 404
    assert found["answer"] == {(404, page)}
    assert found["click"] == {(200, page)}


def _random(chance: random.Random) -> str:
    return "".join(chance.choice(LETTERS) for _ in range(chance.choice((1, 20, 42, 43, 44, 64))))


def _tampered(token: str, chance: random.Random) -> str:
    """Return a token with one letter changed, added, lost, moved or in the other case."""
    at, letter = chance.randrange(len(token)), chance.choice(LETTERS)
    changed = {
        0: token[:at] + (letter if letter != token[at] else ".") + token[at + 1 :],
        1: token[:at] + letter + token[at:],
        2: token[:at] + token[at + 1 :],
        3: token[::-1],
        4: token.swapcase(),
        5: f"{token}{chance.choice(('.', '=', '%20', ' ', '?', ';x'))}",
    }[chance.randrange(6)]
    return changed if changed != token else f"{token}.."


@pytest.mark.parametrize(
    ("wish", "language"),
    [
        *((None, "en"), ("de", "de"), ("de-AT,de;q=0.9", "de"), ("ja, fr;q=0.5, es;q=0.7", "es"), ("ar", "ar")),
        *(("*", "en"), ("", "en"), ("ja", "en"), ("pl;q=0", "en"), ("pt;q=x, fr", "fr"), (";;;,,,", "en")),
        *(("de;q=0.1," * 500, "de"), ("pt_BR", "en"), ("zh, en;q=0.2, pl;q=0.1", "en")),
    ],
)
def test_the_neutral_page_speaks_as_the_browser_wishes(site: Site, wish: str | None, language: str) -> None:
    found = site.ask("GET", "/p/unknown", headers={"accept-language": wish} if wish is not None else {})
    assert f'<html lang="{language}"' in found.body.decode()


def test_a_token_reaches_no_log(
    site: Site, letter: Letter, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level("DEBUG"):
        site.ask("GET", f"/p/{letter.request}")
        site.post(f"/p/{letter.request}", "kind=booked")
        site.post(f"/u/{letter.stop}", "nonsense")
    said = "".join(capfd.readouterr()) + caplog.text
    assert letter.request not in said
    assert letter.stop not in said
