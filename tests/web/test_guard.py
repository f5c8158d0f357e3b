"""The guard: headers on everything that goes out, who is let in, how much, and how large."""

import httpx2
import pytest

from reminders.app import App
from reminders.web.limits import Limits
from reminders.web.site import known_hosts
from tests.support.clinic import Office
from tests.support.site import GENEROUS, Letter, Site, app_of, browsing, rows

PATHS = (
    *("/", "/p", "/p/unknown", "/u/unknown", "/healthz", "/readyz", "/robots.txt", "/favicon.ico", "/nowhere"),
    *("/style/unknown.css", "/style/", "/colour/2c6e68.css", "/colour/red.css", "/openapi.json", "/schema", "/metrics"),
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get")
KEPT = {"/colour/2c6e68.css", "/favicon.ico"}
TELLTALE = {"server", "set-cookie", "x-powered-by", "access-control-allow-origin"}
PROMISED = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow, noarchive",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "strict-transport-security": "max-age=31536000",
}


@pytest.mark.parametrize("method", METHODS)
def test_every_answer_carries_the_headers(site: Site, method: str) -> None:
    for path in PATHS:
        found = site.ask(method, path)
        assert {name: found.header(name) for name in PROMISED} == PROMISED, path
        assert "geolocation=()" in (found.header("permissions-policy") or "")
        kept = path in KEPT and found.status < 400 and method != "OPTIONS"
        assert (found.header("cache-control") == "no-store") == (not kept), path
        assert [name for name, _ in found.headers if name in TELLTALE] == []
        assert found.status < 500


@pytest.mark.parametrize("path", ["/p/unknown", "/u/unknown", "/p", "/u"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_another_method_is_told_which_there_are(site: Site, method: str, path: str) -> None:
    found = site.ask(method, path)
    assert found.status == 405
    assert set((found.header("allow") or "").split(", ")) >= {"GET", "HEAD", "POST"}


@pytest.mark.parametrize("path", ["/p/unknown", "/u/unknown", "/p", "/u"])
def test_options_tell_of_every_method(site: Site, path: str) -> None:
    found = site.ask("OPTIONS", path)
    assert (found.status, found.header("allow")) == (204, "GET, HEAD, OPTIONS, POST")


def test_options_tell_the_same_of_every_link(site: Site, letter: Letter) -> None:
    known, unknown = site.ask("OPTIONS", f"/p/{letter.request}"), site.ask("OPTIONS", "/p/unknown")
    assert (known.status, known.body, known.headers) == (unknown.status, unknown.body, unknown.headers)
    assert known.body == b""


@pytest.mark.parametrize("room", ["p", "u"])
def test_head_is_get_without_the_body(site: Site, letter: Letter, room: str) -> None:
    path = f"/p/{letter.request}" if room == "p" else f"/u/{letter.stop}"
    look, head = site.ask("GET", path), site.ask("HEAD", path)
    assert (head.status, head.headers, head.body) == (look.status, look.headers, b"")


def test_the_servers_own_name_is_not_told(web: httpx2.Client) -> None:
    assert "server" not in web.get("/healthz").headers


def test_without_https_nobody_is_bound_to_it(office: Office) -> None:
    plain = Site(app_of(office, base_url="http://127.0.0.1:8000"))
    found = plain.ask("GET", "/healthz")
    plain.close()
    assert found.header("strict-transport-security") is None


@pytest.mark.parametrize(
    ("listen", "base", "ours", "foreign"),
    [
        ("127.0.0.1:8000", None, ["127.0.0.1:8000", "localhost:8000", "[::1]:8000"], ["127.0.0.1", "evil.example"]),
        ("127.0.0.1:80", None, ["127.0.0.1", "localhost", "localhost:80"], ["evil.example"]),
        ("0.0.0.0:8000", "https://Ask.Example", ["ask.example", "ask.example:443"], ["evil.example:8000"]),
        ("[::]:8000", "https://a.example:444/in", ["a.example:444"], ["a.example", "a.example:443"]),
        ("10.0.0.5:8000", None, ["10.0.0.5:8000"], ["10.0.0.6:8000"]),
    ],
)
def test_only_our_own_names_are_answered(
    office: Office, listen: str, base: str | None, ours: list[str], foreign: list[str]
) -> None:
    hosts = known_hosts(app_of(office, listen=listen, base_url=base).settings)
    assert hosts is not None
    assert set(ours) <= set(hosts)
    assert not set(foreign) & set(hosts)


def test_where_nothing_says_what_we_are_called_every_name_is_ours(office: Office) -> None:
    assert known_hosts(app_of(office, listen="0.0.0.0:8000", base_url=None).settings) is None


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:8000.evil.example", "", "127.0.0.1:8000, evil.example"])
def test_another_name_is_refused_before_anything_is_looked_up(site: Site, letter: Letter, host: str) -> None:
    assert site.ask("GET", f"/p/{letter.request}", headers={"host": host}).status == 421


def test_who_asks_for_our_health_need_not_know_our_name(site: Site) -> None:
    for path in ("/healthz", "/readyz"):
        assert site.ask("GET", path, headers={"host": "10.1.2.3:8000"}).status == 200


def test_too_many_looks_are_put_off_and_others_are_not(office: Office, app: App, letter: Letter) -> None:
    site = Site(app, Limits(looks=3, answers=2, one_clicks=4))
    path = f"/p/{letter.request}"
    assert [site.ask("GET", path).status for _ in range(4)] == [200, 200, 200, 429]
    late = site.ask("HEAD", path)
    assert late.status == 429
    assert late.header("retry-after") == "20"
    assert b"One moment" in site.ask("GET", "/p/unknown").body
    assert site.ask("GET", path, client="192.0.2.2").status == 200
    assert site.ask("GET", "/healthz").status == 200
    office.clock.advance(seconds=20)
    assert site.ask("GET", path).status == 200
    site.close()


def test_answers_and_one_clicks_are_counted_apart(app: App, office: Office, letter: Letter) -> None:
    site = Site(app, Limits(looks=1, answers=2, one_clicks=4))
    before = rows(office)
    assert [site.post("/p/x", "kind=booked").status for _ in range(3)] == [404, 404, 429]
    assert [site.post("/u/x", "List-Unsubscribe=One-Click").status for _ in range(5)] == [200, 200, 200, 200, 429]
    assert site.post(f"/p/{letter.request}", "kind=stopped").status == 429
    assert rows(office) == before
    site.close()


TRICKS = (
    *("//{0}/{1}", "///{0}/{1}", "/{0}//{1}", "/{0}/{1}/", "/{0}/{1}//", "//{0}//{1}//", "{0}/{1}"),
    *("/{0}/{1}/x", "http://127.0.0.1:8000/{0}/{1}"),
)


@pytest.mark.parametrize("trick", TRICKS)
def test_no_other_way_of_writing_an_address_reaches_a_page(
    site: Site, office: Office, letter: Letter, trick: str
) -> None:
    before = rows(office)
    for room, token in (("p", letter.request), ("u", letter.stop)):
        path = trick.format(room, token)
        found = site.ask("GET", path)
        assert (found.status, found.body) == (404, site.ask("GET", "/p/unknown").body)
        assert site.post(path, "kind=stopped&act=stop").status == 404
    assert rows(office) == before


@pytest.mark.parametrize("trick", TRICKS[:-2])
def test_no_other_way_of_writing_an_address_is_free(app: App, trick: str) -> None:
    site = Site(app, Limits(looks=1, answers=1, one_clicks=2))
    path = trick.format("p", "x")
    assert [site.ask("GET", path).status for _ in range(2)] == [404, 429]
    assert [site.post(path, "kind=booked").status for _ in range(2)] == [404, 429]
    assert [site.post(trick.format("u", "x"), "act=stop").status for _ in range(3)] == [404, 404, 429]
    assert site.ask("GET", "/p/x").status == 429
    site.close()


@pytest.mark.parametrize("trick", ["//p/{}", "/%2Fp/{}", "/p%2F{}", "/%2fp%2f{}", "/p/{}%2F", "/%70/{}", "/p/{}?a=b"])
def test_what_is_written_in_percents_is_counted_as_what_it_means(app: App, letter: Letter, trick: str) -> None:
    path = trick.format(letter.request).encode()
    with browsing(app, Limits(looks=1, answers=1, one_clicks=1)) as web:
        found = [web.get(httpx2.URL(web.base_url, raw_path=path)).status_code for _ in range(2)]
    assert found == [200 if trick in ("/p%2F{}", "/%70/{}", "/p/{}?a=b") else 404, 429]


def test_neighbours_in_one_ipv6_network_are_one_client(app: App) -> None:
    site = Site(app, Limits(looks=2, answers=2, one_clicks=2))
    found = [site.ask("GET", "/p/x", client=f"2001:db8:1:2::{n}").status for n in range(1, 4)]
    assert found == [404, 404, 429]
    assert site.ask("GET", "/p/x", client="2001:db8:1:3::1").status == 404
    site.close()


def test_a_forwarded_address_counts_where_a_proxy_of_this_machine_names_it(app: App) -> None:
    with browsing(app, Limits(looks=1, answers=1, one_clicks=1)) as web:
        found = [web.get("/p/x", headers={"X-Forwarded-For": f"198.51.100.{n}"}).status_code for n in (1, 2, 1)]
    assert found == [404, 404, 429]


@pytest.mark.parametrize("room", ["p", "u"])
def test_a_body_of_more_than_16_kb_is_refused(site: Site, office: Office, letter: Letter, room: str) -> None:
    path, field = (f"/p/{letter.request}", "kind=stopped") if room == "p" else (f"/u/{letter.stop}", "act=stop")
    before, large = rows(office), f"{field}&x={'a' * 16_384}"
    assert site.post(path, large).status == 413
    assert site.post(path, "", headers={"content-length": "99999999"}).status == 413
    pieces = [large[at : at + 1000].encode() for at in range(0, len(large), 1000)]
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert site.ask("POST", path, body=pieces, headers=headers).status == 413
    assert rows(office) == before


@pytest.mark.parametrize(
    "wish",
    ["en\r\nSet-Cookie: a=b", "\x00", "x" * 9000, "de\u2028", "%0d%0aX: y"],
    ids=["crlf", "nul", "long", "ls", "pc"],
)
def test_a_header_brings_none_of_ours(site: Site, wish: str) -> None:
    found = site.ask("GET", "/p/x", headers={"accept-language": wish, "x-forwarded-host": wish})
    assert found.status == 404
    assert not [name for name, value in found.headers if "\r" in value or "\n" in value or name == "set-cookie"]


def test_a_fault_becomes_a_page_without_details(
    office: Office, letter: Letter, caplog: pytest.LogCaptureFixture
) -> None:
    site = Site(app_of(office), GENEROUS)
    office.close()
    broken = office.database.address.removeprefix("sqlite:///")
    with open(broken, "r+b") as file:  # noqa: PTH123 - in place, as a failing disk would
        file.write(b"\xff" * 4096)
    found = site.ask("GET", f"/p/{letter.request}")
    site.close()
    assert found.status in (500, 503)
    assert found.header("referrer-policy") == "no-referrer"
    assert b"This did not work" in found.body
    for word in (b"Traceback", b"sqlite", b"Database", letter.request.encode(), broken.encode()):
        assert word not in found.body
    assert letter.request not in caplog.text
    assert "Traceback" not in caplog.text
