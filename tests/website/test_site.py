"""The site as it is built: every link leads somewhere, and nothing comes from other hosts."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urldefrag, urlsplit

from tests.browser.chromium import chromium
from tests.meta.source import ROOT
from website.pages import GENERATED, moved

TAKEN = {"link": "href", "script": "src", "img": "src", "source": "src", "iframe": "src"}
"""What a browser fetches by itself."""


class Document(HTMLParser):
    """Where a page leads, what it takes, and the places in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.taken: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.places |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in TAKEN and given.get(TAKEN[tag]) and given.get("rel") != "canonical":
            self.taken.append(given[TAKEN[tag]])


def broken(site: Path) -> Iterator[str]:
    """Links to files or places that the site does not have."""
    pages = {file: Document(file.read_text()) for file in site.rglob("*.html")}
    for file, document in pages.items():
        for link in (*document.links, *document.taken):
            address, place = urldefrag(link)
            if urlsplit(address).scheme:
                continue
            led = (file.parent / unquote(address)).resolve() if address else file
            led = led / "index.html" if led.is_dir() else led
            there = led.is_file() and (not place or led not in pages or _has(pages[led], place))
            if not there and file.name != "404.html":
                yield f"{file.relative_to(site)}: {link}"


def _has(document: Document, place: str) -> bool:
    return unquote(place) in document.places


def test_the_site(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "website", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    site = tmp_path / "site"
    built = {file.relative_to(site).as_posix() for file in site.rglob("*.html")}
    assert {path.replace(".md", ".html") for path in GENERATED} <= built
    assert {"index.html", "changelog.html", "tutorial.html", "compatibility.html"} <= built
    assert (site / "reference" / "events.schema.json").is_file()
    assert list(broken(site)) == []
    for file in site.rglob("*.html"):
        taken = Document(file.read_text()).taken
        assert [each for each in taken if urlsplit(each).netloc] == []
    for style in site.rglob("*.css"):
        assert re.findall(r"url\(\s*['\"]?(https?:[^)]*)", style.read_text()) == []
    looked_at(site, tmp_path / "profile")


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and says nothing."""

    def log_message(self, *args: object) -> None: ...


@contextmanager
def served(site: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def looked_at(site: Path, profile: Path) -> None:
    """Pages as a browser shows them: nothing asked of others, nothing wider than the window."""
    with served(site) as address, chromium(profile) as new_page:
        page = new_page()
        for name in ("index", "tutorial", "reference/commands", "reference/api"):
            for width, dark in ((1200, False), (390, False), (1200, True)):
                page.open(f"{address}/{name}.html", width=width, dark=dark)
                assert page.complaints() == []
                assert [u for u in page.requests() if not u.startswith((address, "data:"))] == []
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                shade = page.evaluate("getComputedStyle(document.body).backgroundColor")
                assert (shade != "rgb(255, 255, 255)") is dark
                assert page.evaluate("document.querySelector('h1').offsetHeight") > 0


def test_every_page_can_be_found() -> None:
    text = (ROOT / "mkdocs.yml").read_text()
    named = set(re.findall(r"^ +- ([a-z/-]+\.md)$", text, re.MULTILINE))
    assert named == {*GENERATED, *moved()}


def test_a_broken_link_ends_it(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<h1 id="x">A</h1><a href="b.html#y">b</a><a href="#x">x</a>')
    (tmp_path / "b.html").write_text('<a href="c.html">c</a><a href="a.html#x">a</a>')
    assert sorted(broken(tmp_path)) == ["a.html: b.html#y", "b.html: c.html"]
